"""Titles that are trending."""
