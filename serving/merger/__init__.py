"""The merger: asks both models and gives one structured answer."""
