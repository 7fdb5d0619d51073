"""One catalogue from many sources: one row per anime, with the source of every value."""
