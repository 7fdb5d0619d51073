"""Scores in the scales of other sites → ratings from 1 to 10.

The scale is decided once for a whole file from all of its scores; single values never decide. A score that states its
own scale ("8/10", "85 %", "★★★★☆") does not need the decision.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

TOP = 10
_HIGHEST = 100
_FEW, _SHARE = 2, 0.2
"""So many scores above 10, and this share of all, make a scale above 10."""
_OUTLIERS = 0.05
"""Up to this share above the scale are typing errors."""
MISSING = frozenset(
    {"", "-", "--", "–", "—", "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "\\n", "unrated"}
    | {"not rated", "unscored", "no score", "not scored", "no rating"}
)
"""Words for "no score", in lower case."""

_FRACTION = re.compile(r"(\d+(?:[.,]\d+)?)\s*/\s*(3|5|10|20|100)")
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")
_STARS = re.compile(r"([★⭐*]{1,10})(½)?(☆*)")
_COUNTED_STARS = re.compile(r"(\d(?:[.,]\d+)?)\s*(?:stars?|★|⭐)")
_WITH_WORD = re.compile(r"\(?(\d{1,2})\)?\s*[-–:]?\s*\(?[a-z ]+\)?")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d{1,3})?")
_SMILEYS = {":(": 4, "🙁": 4, "😦": 4, "☹": 4, ":|": 6, "😐": 6, ":)": 9, "🙂": 9, "😊": 9, "😃": 9, "☺": 9}
"""AniList counts them 35, 60 and 85 of 100."""
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of scores; a score times ``factor`` is on the scale to 10."""

    name: str
    factor: float


TEN = Scale("1 to 10", 1.0)
FIVE = Scale("1 to 5 stars", 2.0)
TWENTY = Scale("1 to 20", 0.5)
HUNDRED = Scale("1 to 100", 0.1)


@dataclass(frozen=True, slots=True)
class Score:
    """A score as written. ``scale`` is set if the score states its own."""

    number: float
    scale: Scale | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decision about a file. ``scale`` is ``None`` if the scores contradict every known scale."""

    scale: Scale | None
    why: str
    """Evidence in words, for the report; empty where the scale is the usual one."""


def parse(value: object) -> Score | None:
    """Read a score: a number, a decimal comma, a fraction, per cent, stars or a smiley. ``None`` if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return Score(number) if math.isfinite(number) else None
    if not isinstance(value, str):
        return None
    raw = value.strip()[:_LONGEST]
    if raw in _SMILEYS:
        return Score(_SMILEYS[raw], TEN)
    text = unicodedata.normalize("NFKC", raw.replace("½", "\ue000")).replace("\ue000", "½").casefold().strip()
    if _NUMBER.fullmatch(text):
        return parse(_float(text))
    if found := _FRACTION.fullmatch(text):
        return Score(_float(found[1]) * TOP / float(found[2]), TEN)
    if found := _PERCENT.fullmatch(text):
        return Score(_float(found[1]), HUNDRED)
    if found := _STARS.fullmatch(text):
        number = len(found[1]) + (0.5 if found[2] else 0)
        return Score(number, FIVE if len(found[1]) + len(found[3]) <= 5 else TEN)
    if found := _COUNTED_STARS.fullmatch(text):
        number = _float(found[1])
        return Score(number, FIVE if number <= 5 else TEN)
    if found := _WITH_WORD.fullmatch(text):
        return Score(float(found[1]))
    return None


def is_missing(text: str) -> bool:
    """Return true if a cell has a placeholder for a missing score."""
    return text.strip().casefold() in MISSING


def decide(counts: Mapping[float, int]) -> Verdict:
    """Decide the scale of a file from its scores above 0: score → how often.

    A highest score of 5 with others below it, or fractions up to 5, are stars. Scores above 10 are of 20 or 100 if
    there are several; few among many are errors on the scale to 10; anything between is undecided. One number above 100
    is no score; several are a scale that is not known.
    """
    huge = {score for score in counts if score > _HIGHEST}
    if sum(counts[score] for score in huge) >= _FEW:
        return Verdict(None, f"the highest score is {max(huge):g}")
    counts = {score: count for score, count in counts.items() if score not in huge}
    rated = sum(counts.values())
    if not rated:
        return Verdict(TEN, "")
    top = max(counts)
    above = sum(count for score, count in counts.items() if score > TOP)
    if above and above <= _OUTLIERS * rated:
        return Verdict(TEN, "")
    several = above >= _FEW and above >= _SHARE * rated
    if top > 2 * TOP:
        if several:
            return Verdict(HUNDRED, f"{above:,} of {rated:,} scores are above 10, the highest is {top:g}")
        return Verdict(None, f"{above:,} of {rated:,} scores are above 10, the highest is {top:g}")
    if top > TOP:
        if several:
            return Verdict(TWENTY, f"{above:,} of {rated:,} scores are above 10, the highest is {top:g}")
        return Verdict(TEN, "")
    fractions = any(score != int(score) for score in counts)
    if top <= TOP / 2 and (fractions or (top == TOP / 2 and len(counts) > 1)):
        return Verdict(FIVE, f"the highest of {rated:,} scores is {top:g}")
    return Verdict(TEN, "")


def on_ten(score: Score, scale: Scale | None) -> float | None:
    """Convert a score to the scale to 10; ``None`` if it is not above 0 and at most 10, or no scale is known."""
    known = score.scale or scale
    if known is None:
        return None
    value = score.number * known.factor
    return value if 0 < value <= TOP else None


def whole(value: float) -> int:
    """Round a value above 0 on the scale to 10 to a rating from 1 to 10, halves up."""
    return max(1, math.floor(value + 0.5))


def _float(text: str) -> float:
    return float(text.replace(",", "."))
