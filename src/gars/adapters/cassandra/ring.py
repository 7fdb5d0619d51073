"""The token ring of Cassandra's partition keys, independent of the driver, which a planner may lack."""

from __future__ import annotations

from itertools import pairwise

_FIRST, _LAST = -(2**63), 2**63 - 1
"""Tokens of Murmur3Partitioner; no key has the first."""


def pieces(count: int) -> list[tuple[int, int]]:
    """Divide the ring into ``count`` equal intervals (after, up to], for ``CassandraHistory.read_between``."""
    return list(pairwise(_FIRST + (_LAST - _FIRST) * number // count for number in range(count + 1)))
