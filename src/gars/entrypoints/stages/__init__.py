"""``gars serve recall`` and ``gars serve rank``: the two stages as services of their own."""
