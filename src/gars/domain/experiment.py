"""A/B tests: who gets which variant, and what the figures of a variant are worth."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import msgspec

from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError

_Z = 1.96
SUSPICIOUS = 0.001
"""Below this probability the users did not fall into the variants as they should have."""


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a variant, used where the request does not set them."""

    niche: float | None = None
    diversity: float | None = None
    min_members: int | None = None
    one_per_franchise: bool | None = None
    session: float | None = None
    """Weight of the latest clicks, 1 without a variant."""
    retrieval: float | None = None
    """Weight of stage one's order next to 1 for the ranker's, 0 without a variant."""
    explore: float | None = None
    """Share of its lists with an exploration slot."""


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One arm; it gets ``share`` of the users, relative to the sum of all shares."""

    name: str
    share: float = 1.0
    rules: Rules = Rules()
    model: str = ""
    """Version, or its first letters, of the model that makes its lists; empty: the promoted one."""

    def applied(self, filters: Filters) -> Filters:
        """The filters of a request, with this variant's rules in place of the service's defaults."""
        overrides = {name: getattr(self.rules, name) for name in _RULES if getattr(self.rules, name) is not None}
        open_ = {
            name: value
            for name, value in overrides.items()
            if getattr(filters, name) == getattr(SERVICE_DEFAULTS, name)
        }
        return msgspec.structs.replace(filters, **open_) if open_ else filters


_RULES = ("niche", "diversity", "min_members", "one_per_franchise", "session", "retrieval")


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Named variants; another name of the experiment deals the users anew."""

    name: str
    variants: tuple[Variant, ...]

    def variant_of(self, user_id: str) -> Variant:
        """The same variant for a user on every machine, at every time."""
        digest = hashlib.blake2b(f"{self.name}\0{user_id}".encode(), digest_size=8).digest()
        left = int.from_bytes(digest, "big") / 2**64 * sum(variant.share for variant in self.variants)
        for variant in self.variants:
            left -= variant.share
            if left < 0:
                return variant
        return self.variants[-1]


def read(text: bytes, *, where: str) -> Experiment:
    """An experiment from JSON; raises ``InvalidInputError`` with what is wrong and where."""
    hint = '{"name": "…", "variants": [{"name": "a", "share": 1}, {"name": "b", "share": 1, "rules": {"niche": 0.2}}]}'
    try:
        found = msgspec.json.decode(text, type=Experiment)
    except msgspec.DecodeError as error:
        raise InvalidInputError(f"{where}: {error}", hint=hint) from error
    names = [variant.name for variant in found.variants]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names) or not found.name:
        raise InvalidInputError(f"{where}: an experiment needs a name and two or more variants of their own", hint=hint)
    for variant in found.variants:
        if not 0 < variant.share <= 1e6:
            raise InvalidInputError(f"{where}: the share of {variant.name} is not above 0", hint=hint)
        for name in ("niche", "diversity", "explore"):
            value = getattr(variant.rules, name)
            if value is not None and not 0 <= value <= 1:
                raise InvalidInputError(f"{where}: {name} of {variant.name} is not from 0 to 1", hint=hint)
        for name in ("session", "retrieval"):
            value = getattr(variant.rules, name)
            if value is not None and not 0 <= value <= 10:
                raise InvalidInputError(f"{where}: {name} of {variant.name} is not from 0 to 10", hint=hint)
    return found


def clustered_rate(hits: Sequence[float], trials: Sequence[float], *, z: float = _Z) -> tuple[float, float, float]:
    """Estimate a rate over users, each with several trials, and its interval, 95 % by default. → rate, low, high

    A user's lists are alike, so they count for less than as many of strangers: the variance is that of a ratio over
    users (delta method), and Wilson's interval is taken at the number of independent trials it amounts to, which is
    at least the number of users with any and keeps the interval open where no user or every user hit.
    """
    total, users = sum(trials), sum(count > 0 for count in trials)
    if not total:
        return 0.0, 0.0, 1.0
    rate = sum(hits) / total
    residues = sum((hit - rate * count) ** 2 for hit, count in zip(hits, trials, strict=True))
    variance = residues / total**2 * users / max(1, users - 1)
    independent = rate * (1 - rate) / variance if variance > 0 and 0 < rate < 1 else float(users)
    n = min(total, max(1.0, independent))
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(max(0.0, rate * (1 - rate) / n + z**2 / (4 * n**2)))
    return rate, max(0.0, centre - half), min(1.0, centre + half)


def change_of_rate(before: tuple[float, float, float], after: tuple[float, float, float]) -> tuple[float, float, float]:
    """Estimate the difference of two rates and its interval, from those of each. → change, low, high

    Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10.
    """
    (was, was_low, was_high), (is_, is_low, is_high) = before, after
    change = is_ - was
    return (
        change,
        change - math.hypot(is_ - is_low, was_high - was),
        change + math.hypot(is_high - is_, was - was_low),
    )


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of the users' distribution over variants, given the shares (chi-square); 1 without users."""
    total, whole = sum(counts), sum(shares)
    if not total or len(counts) < 2:
        return 1.0
    expected = [total * share / whole for share in shares]
    statistic = sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))
    return _upper_gamma(0.5 * (len(counts) - 1), 0.5 * statistic)


def _upper_gamma(a: float, x: float) -> float:
    """The regularised upper incomplete gamma function for half-integers ``a``, by its recurrence."""
    if x <= 0:
        return 1.0
    q = math.erfc(math.sqrt(x)) if a % 1 else math.exp(-x)
    at = 0.5 if a % 1 else 1.0
    while at < a:
        q += math.exp(at * math.log(x) - x - math.lgamma(at + 1))
        at += 1
    return min(1.0, q)
