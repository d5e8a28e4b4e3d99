"""Detections to tracklets."""
