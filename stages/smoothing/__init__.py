"""Tracks with the future known: gaps filled, boxes smoothed."""
