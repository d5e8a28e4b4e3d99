"""A person taken out of everything that the pipeline made: who is meant, where they are, and what of them goes."""
