"""Which column is what: words for it in several languages, what its cells look like, and the file that tells it."""
