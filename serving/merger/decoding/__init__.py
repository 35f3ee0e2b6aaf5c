"""Pixels out of strangers' files: in processes of their own, within a budget of memory and of time."""
