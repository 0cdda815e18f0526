"""Looks at a real database through the eyes of a profile: what is missing, what is open, what would be slow."""
