"""Rows and pictures out of a folder or zip, each with what is wrong with it."""
