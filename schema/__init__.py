"""What both sides of Lookbook agree on: names and the data schema. Imports nothing but the standard library."""
