"""Tables in the dress of tools as they are meant: objects in cells, a column for each label, names by numbers."""
