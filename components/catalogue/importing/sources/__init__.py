"""What people have, as tables: files of a folder or zip, and the sheets, documents and class folders among them."""
