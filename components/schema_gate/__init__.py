"""Stops a run whose data does not meet the schema, and shows what the data would change in it."""
