"""Coverage-guided fuzzing of what strangers send: pictures and rows."""
