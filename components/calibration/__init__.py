"""Confidence that a person can trust: calibrated scores, review thresholds, the joint answer."""
