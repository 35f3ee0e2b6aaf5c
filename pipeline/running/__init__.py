"""One run on this machine: the lock of its root, its steps in order, what the console shows, and its record."""
