"""Finds the model that a candidate has to hold its own against."""
