"""Releases both models together, or neither."""
