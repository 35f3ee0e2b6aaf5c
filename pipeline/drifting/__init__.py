"""Whether the pictures that are asked about still look like those of a release's own eval."""
