"""Adapters that are wrong in exactly one way each, and the check that must notice."""
