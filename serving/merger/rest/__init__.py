"""The REST transport, the page and the operators' port: convert, await once, convert back."""
