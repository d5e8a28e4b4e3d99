"""How good tracks are: against ground truth (TrackEval's HOTA, CLEAR, Identity), and by themselves."""
