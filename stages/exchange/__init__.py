"""Tracks in the formats of other tools, written and read back. Frames there are those of the source, not of the clip."""
