"""Model server, merger and page as one stack of processes on this machine."""
