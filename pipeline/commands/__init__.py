"""The commands of the command line, a module each; every module offers ``command``."""
