"""What a release keeps of the products that it knows, beside its models."""
