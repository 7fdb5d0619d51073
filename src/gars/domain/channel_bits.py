"""Tuples of channel names as bit masks over one list of names."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

_MOST_KINDS = 4096
"""Size of the cache of bits, in distinct tuples of channels."""


class _Bits(dict[tuple[str, ...], int | None]):
    """The bits of channels among some names, computed once: a bit for each name that is there.

    ``None`` if their order would be lost, or there are too many names.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def __missing__(self, channels: tuple[str, ...]) -> int | None:
        places = [self._names.index(name) if name in self._names else -1 for name in channels]
        is_lost = len(self._names) > 32 or any(one >= after for one, after in pairwise([-1, *places]))
        bits = None if is_lost else sum([1 << place for place in places])
        if len(self) < _MOST_KINDS:
            self[channels] = bits
        return bits


_bits_among = lru_cache(maxsize=64)(_Bits)


def to_bits(channels: list[tuple[str, ...]]) -> tuple[list[str], list[int] | None]:
    """Return the names of all channels, and each item's as bits if all items name them in one order, else ``None``."""
    names = max(channels, key=len, default=())
    known = _bits_among(names)
    bits = [known[kind] for kind in channels]
    if None in bits:  # the item with the most does not have all
        names = _united(channels)
        known = _bits_among(names)
        bits = [known[kind] for kind in channels]
    return list(names), None if None in bits else bits  # type: ignore[return-value]  # none is None


def _united(channels_of: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Unite the names, each after those before it where possible."""
    names: list[str] = []
    for channels in dict.fromkeys(channels_of):
        place = 0
        for name in channels:
            if name in names:
                place = names.index(name) + 1
            else:
                names.insert(place, name)
                place += 1
    return tuple(names)


def from_bits(names: list[str], bits: list[int]) -> list[tuple[str, ...]]:
    """Return the channels of each item, by its bits over all names."""
    known = {kind: tuple(name for number, name in enumerate(names) if kind >> number & 1) for kind in set(bits)}
    return [known[kind] for kind in bits]
