"""Documents that are trees: objects by their keys, a document for each picture, XML."""
