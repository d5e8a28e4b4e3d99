"""What a person put right, by hand: rows of data/corrections, and what they ask of tracklets."""
