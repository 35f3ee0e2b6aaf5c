"""What a model must show before it is released, and what it did show."""
