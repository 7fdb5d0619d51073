"""A place in a topic of many partitions as one number: the next offset of each, packed.

Reading on in any partition makes the number grow, so positions of one reading are ascending.
"""

from __future__ import annotations

from collections.abc import Sequence

_BITS = 63
_MASK = (1 << _BITS) - 1


def pack(next_offsets: Sequence[int]) -> int:
    """Next offset of each partition, in order of partitions → position."""
    return sum(offset << (_BITS * number) for number, offset in enumerate(next_offsets))


def unpack(position: int, partitions: int) -> list[int]:
    """Position → next offset of each partition; raises ``ValueError`` if it is of a topic with more partitions."""
    if position < 0 or position >> (_BITS * partitions):
        raise ValueError(f"{position} is no position in a topic of {partitions} partitions")
    return [(position >> (_BITS * number)) & _MASK for number in range(partitions)]
