"""Tools that make what the serving side needs before it can run."""
