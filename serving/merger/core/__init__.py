"""What is pure: the picture check, two replies → one answer, errors, one call's identity and time."""
