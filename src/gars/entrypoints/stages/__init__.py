"""``gars serve recall`` and ``gars serve rank``: the two stages, each a service of its own."""
