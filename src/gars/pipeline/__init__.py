"""Retraining as a run of steps: each recorded with what it was made of, so that a killed run goes on where it was."""
