"""Detectors: from pixels to boxes, by a network or as stored by someone else's."""
