"""Whose pixels leave the pipeline as they are, and whose do not."""
