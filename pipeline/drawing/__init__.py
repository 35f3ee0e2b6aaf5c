"""What the command line draws: heat maps and contact sheets."""
