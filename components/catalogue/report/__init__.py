"""What an import found, as words and as a page; and the check before any training."""
