"""Load: benchmarks that a person runs by hand."""
