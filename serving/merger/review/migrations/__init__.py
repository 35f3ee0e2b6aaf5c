"""Alembic's folder: each change of the tables, in order."""
