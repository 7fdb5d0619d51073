"""The ring that Cassandra's partition keys are hashed onto, without its driver: who plans may not need it."""

from __future__ import annotations

from itertools import pairwise

_FIRST, _LAST = -(2**63), 2**63 - 1
"""Tokens of Murmur3Partitioner; no key has the first."""


def pieces(count: int) -> list[tuple[int, int]]:
    """The ring in equal parts for ``CassandraHistory.read_between``, (after, up to]: every user is in exactly one."""
    return list(pairwise(_FIRST + (_LAST - _FIRST) * number // count for number in range(count + 1)))
