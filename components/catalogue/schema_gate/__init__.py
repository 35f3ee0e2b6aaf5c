"""SchemaGate: data that does not meet the schema stops the run."""
