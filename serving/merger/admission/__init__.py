"""Who may call, how much, and how much at once."""
