"""Picture files of every kind that a shop has, drawn here, each with what must be seen of it."""
