"""Adapters with exactly one fault each, and the check that must fail for it."""
