"""Which tracklets are one person: appearance, motion, and the clustering that both feed."""
