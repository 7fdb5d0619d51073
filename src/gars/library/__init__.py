"""The public library: fit, save, load, recommend. ``from gars import Recommender`` is the way in."""
