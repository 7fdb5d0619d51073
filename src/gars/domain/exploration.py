"""A slot for chance: now and then one place of a list goes to a title from further down, with known probability."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

FIRST_PLACE = 3
"""The places above stay with the best."""
POOL = 50
"""The title comes from so many places below the list."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Place ``place`` of the page goes to the title ``below`` places under its end."""

    place: int
    below: int


def draw(request_id: str, share: float, k: int) -> Slot | None:
    """Draw the position at which a list of ``k`` explores; ``None`` if it does not. Deterministic for a request."""
    if share <= 0 or k <= FIRST_PLACE:
        return None
    digest = hashlib.blake2b(request_id.encode(), digest_size=24, person=b"gars explore").digest()
    chance, place, below = (int.from_bytes(digest[start : start + 8], "big") / 2**64 for start in (0, 8, 16))
    if chance >= share:
        return None
    return Slot(FIRST_PLACE + int(place * (k - FIRST_PLACE)), int(below * POOL))


def propensity(place: int, share: float, k: int) -> float:
    """The probability that a place of a list of ``k`` keeps the title that its score gave it."""
    return 1.0 if place < FIRST_PLACE or share <= 0 else 1 - share / (k - FIRST_PLACE)


def explored_propensity(share: float, k: int, pool: int) -> float:
    """The probability that one of ``pool`` titles came to the place it was drawn for."""
    return share / ((k - FIRST_PLACE) * pool)
