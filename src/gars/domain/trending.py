"""Trending titles: weights of events, and their exponential decay.

Every event of interest adds to its anime, half as much after each half-life of event time. Of each user and anime only
the event of largest weight counts, and a title trends with more than one user can add: one user cannot make a trend.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import Opinion, Register, Stamp, UserState

HALF_LIFE = timedelta(days=3)
FORGOTTEN_AFTER = 12
"""Half-lives after which an event is dropped (1/4096)."""
WEIGHTS = {Kind.CLICK: 1.0, Kind.LIKE: 2.0, Kind.RATE: 2.0, Kind.STATUS: 2.0}
"""Weight of each kind of event. Events that hide a title have none."""
TREND = 1.25 * max(WEIGHTS.values())
"""A title with less decayed weight does not trend: more than one user can add."""
MIDDLE = 5
"""A lower rating has no weight."""
BUCKET_MS = 6 * 3_600_000
"""Counters shared by processes are summed by buckets of event time this long."""
BUCKETS = FORGOTTEN_AFTER * round(HALF_LIFE / timedelta(milliseconds=BUCKET_MS))
"""Number of buckets that still count."""


def weight(event: Interaction) -> float:
    """Return the weight of an event; 0 for a title dropped, rated below the middle, or hidden."""
    disliked = event.kind is Kind.RATE and isinstance(event.value, int) and event.value < MIDDLE
    return 0.0 if disliked or event.value == Status.DROPPED else WEIGHTS.get(event.kind, 0.0)


def bucket(time_ms: int) -> int:
    """The bucket of a moment."""
    return time_ms // BUCKET_MS


def ends_ms(bucket: int) -> int:
    """The moment from which on nothing in a bucket counts any more."""
    return (bucket + BUCKETS) * BUCKET_MS


def moves(before: UserState, after: UserState, anime_id: int) -> dict[int, float]:
    """Return the change of the counters by an event: bucket → difference of the anime's weight there.

    It is the difference of the two states, so a repeated event changes nothing, and a withdrawn one subtracts its
    weight.
    """
    changed: dict[int, float] = {}
    for state, sign in ((before, -1.0), (after, 1.0)):
        for where, strength in _largest_weight(state, anime_id).items():
            changed[where] = changed.get(where, 0.0) + sign * strength
    return {where: by for where, by in changed.items() if by}


def heat(buckets: Mapping[int, Mapping[int, float]], now_ms: int) -> dict[int, float]:
    """Bucket → anime → weight, as of now: anime → decayed weight, without those at zero."""
    found: dict[int, float] = {}
    oldest = 2.0**-FORGOTTEN_AFTER
    for where, weights in buckets.items():
        age_ms = max(0.0, now_ms - (where + 0.5) * BUCKET_MS)
        share = 2.0 ** -(age_ms / (HALF_LIFE / timedelta(milliseconds=1)))
        for anime_id, weighs in weights.items():
            found[anime_id] = found.get(anime_id, 0.0) + weighs * share
    return {anime_id: total for anime_id, total in found.items() if total >= oldest}


def trends(heat: Mapping[int, float]) -> dict[int, float]:
    """Return the trending titles and their weights, largest first."""
    found = [(anime_id, weighs) for anime_id, weighs in heat.items() if weighs >= TREND]
    return dict(sorted(found, key=lambda one: (-one[1], one[0])))


def _largest_weight(state: UserState, anime_id: int) -> dict[int, float]:
    """Return bucket and weight of a user's event of largest decayed weight on an anime."""
    weighted: list[tuple[int, float]] = []
    opinion = state.opinions.get(anime_id, Opinion())
    if (rating := _written(opinion.rating)) is not None and int(rating[1]) >= MIDDLE:
        weighted.append((rating[0].time_ms, WEIGHTS[Kind.RATE]))
    if (status := _written(opinion.status)) is not None and status[1] != Status.DROPPED:
        weighted.append((status[0].time_ms, WEIGHTS[Kind.STATUS]))
    if (reaction := _written(opinion.reaction)) is not None and int(reaction[1]) > 0:
        weighted.append((reaction[0].time_ms, WEIGHTS[Kind.LIKE]))
    weighted += [(click.stamp.time_ms, WEIGHTS[Kind.CLICK]) for click in state.clicks if click.anime_id == anime_id]
    if not weighted:
        return {}
    newest = max(time_ms for time_ms, _ in weighted)
    half_life_ms = HALF_LIFE / timedelta(milliseconds=1)
    time_ms, weight = max(weighted, key=lambda one: (one[1] * 2.0 ** ((one[0] - newest) / half_life_ms), one[0]))
    return {bucket(time_ms): weight}


def _written(register: Register | None) -> tuple[Stamp, int | str] | None:
    """When and what, if it was not taken back."""
    return None if register is None or register.value is None else (register.stamp, register.value)
