"""Proves before a release that a real model server serves both models, and serves them right."""
