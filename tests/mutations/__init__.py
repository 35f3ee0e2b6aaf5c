"""Breaks the code on purpose, one place at a time, and expects the tests named for it to turn red."""
