"""Classifies any number of pictures by Beam: sources → shards → a release's models and the merger's core → tables."""
