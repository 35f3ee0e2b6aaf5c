"""Tests of the merger: real processes on loopback."""
