"""One page about a release, by the fields of Hugging Face's model card, from what the release recorded."""
