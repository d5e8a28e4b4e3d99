"""The same person in several cameras or videos: evidence for pairs of tracks, and the partition that it speaks for."""
