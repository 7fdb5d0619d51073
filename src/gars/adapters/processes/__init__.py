"""Processes of this machine that make lists, each with a model of its own, asked through a pipe."""
