"""A page that shows a person how good the two models are and where they err."""
