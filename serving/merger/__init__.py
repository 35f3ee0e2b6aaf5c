"""The merger: asks both models at once and gives one structured answer."""
