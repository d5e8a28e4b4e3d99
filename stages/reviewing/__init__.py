"""The review page: a small server over what the pipeline wrote, in which people correct what they see."""
