"""Object stores and remote file systems, by fsspec: addresses, reads, writes, and their errors in words."""
