"""Ids as spreadsheets and data frames write them: ``5114``, ``5114.0``, ``5,114``."""

from __future__ import annotations

import math
import re

LARGEST = 2**63 - 1
_PLAIN = re.compile(r"\+?\d+(?:\.0*)?")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,3}(?:['’\u00a0\u202f ]\d{3})+")
_SCIENTIFIC = re.compile(r"\d+(?:\.\d+)?[eE]\+?\d{1,2}")
_LONGEST = 40


def parse_id(value: object, *, largest: int = LARGEST) -> int | None:
    """Return the whole number from 0 to ``largest`` that an id stands for, ``None`` if it is none.

    A float is accepted if it is whole and below 2⁵³, above which floats skip numbers.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= largest else None
    if isinstance(value, float):
        exact = math.isfinite(value) and value == int(value) and abs(value) <= 2**53
        return parse_id(int(value), largest=largest) if exact else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > _LONGEST or (not text.isascii() and not _GROUPED.fullmatch(text)):
        return None
    if _PLAIN.fullmatch(text):
        return parse_id(int(text.partition(".")[0]), largest=largest)
    if _GROUPED.fullmatch(text):
        return parse_id(int(re.sub(r"\D", "", text)), largest=largest)
    if _SCIENTIFIC.fullmatch(text):
        return parse_id(float(text), largest=largest)
    return None
