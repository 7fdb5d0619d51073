"""Scores of models on held-out data, and the search of settings."""
