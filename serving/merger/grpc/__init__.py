"""The gRPC transport: convert, await once, convert back."""
