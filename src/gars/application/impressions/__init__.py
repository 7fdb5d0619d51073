"""Shown lists: recorded, joined to clicks, compared."""
