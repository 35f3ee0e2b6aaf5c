"""Catalogues: reading, checking, grouping and splitting them, the import as TFX runs it, and the drawn sample."""
