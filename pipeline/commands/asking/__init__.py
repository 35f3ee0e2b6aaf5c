"""The commands that ask a served release about photos."""
