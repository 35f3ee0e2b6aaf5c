"""Answers that a person should look at, kept with their pictures until somebody decides: in SQLite or PostgreSQL."""
