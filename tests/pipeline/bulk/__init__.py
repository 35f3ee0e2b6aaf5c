"""Bulk classification."""
