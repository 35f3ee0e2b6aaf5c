"""A release as files that answer without a server."""
