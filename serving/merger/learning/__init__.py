"""People's decisions count in the next answers, without a training."""
