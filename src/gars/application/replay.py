"""Make the states again out of the events: after the state store was lost, or to prove that it is right.

A state is a fold of the user's events in the order of the log over what a data set knew of them, so it comes out the
same to the last bit. Written over a store in use it changes nothing: equal versions hold equal states, older ones are
ignored, and nothing from before a tombstone is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from gars.application.ports import EventHistory, Logged
from gars.application.progress import Progress, Silent
from gars.domain import trending, user_state
from gars.domain.user_state import UserState

_CHUNK = 500

Initial = Callable[[str], UserState | None]
"""What a data set knows of a user before their first event; ``None`` for nothing, and for who was forgotten."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A user as the events say. ``state=None``: forgotten, and not back since."""

    user_id: str
    state: UserState | None
    offset: int
    """Of their last record."""
    before: UserState | None = None
    """What a data set knew of them: not asked for now, so no part of a trend."""


class RebuildsTrends(Protocol):
    """Counters that take what was made again."""

    def write(self, weights: Mapping[tuple[int, int], float]) -> None:
        """Set ``(bucket, anime) → weight``. Raises ``StorageError``."""
        ...


class RebuildsStates(Protocol):
    """A state store that takes what was made again."""

    def get(self, user_id: str) -> UserState | None:
        """The state it holds."""
        ...

    def rebuild(self, users: Sequence[Rebuilt]) -> int:
        """Keep what is not older than what is there. → how many were kept. Raises ``StorageError``."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the states of a store stand to those made again."""

    users: int
    equal: int
    behind: tuple[str, ...] = ()
    """Users the store holds an older state of, or none."""
    ahead: tuple[str, ...] = ()
    """Users with events that came after the log was read."""
    different: tuple[str, ...] = ()
    """Users with another state of the same version: something is wrong."""


def from_log(records: Iterable[Logged], initial: Initial) -> Iterator[Rebuilt]:
    """Fold a whole log. Holds the state of every user in it, as bytes, until the log ends."""
    kept: dict[str, tuple[bytes | None, int]] = {}
    forgotten: set[str] = set()
    for record in records:
        held = kept.get(record.user_id)
        if record.event is None:
            forgotten.add(record.user_id)
            kept[record.user_id] = None, record.offset
            continue
        if held is None:
            before = initial(record.user_id)
        else:
            before = user_state.decode(held[0]) if held[0] is not None else None
        state = user_state.apply(before or UserState(user_id=record.user_id), record.event)
        kept[record.user_id] = user_state.encode(state), record.offset
    for user_id, (encoded, offset) in kept.items():
        known = None if user_id in forgotten else initial(user_id)
        yield Rebuilt(user_id, None if encoded is None else user_state.decode(encoded), offset, known)


def from_history(history: EventHistory, initial: Initial) -> Iterator[Rebuilt]:
    """Fold user after user; holds one of them."""
    for user_id in history.users():
        before = initial(user_id)
        state = before or UserState(user_id=user_id)
        last = 0
        for last, event in history.read_user(user_id):  # noqa: B007 the last offset is told
            state = user_state.apply(state, event)
        if last:
            yield Rebuilt(user_id, state, last, before)


def write(
    users: Iterable[Rebuilt],
    states: RebuildsStates,
    *,
    trends: RebuildsTrends | None = None,
    progress: Progress | None = None,
) -> tuple[int, int]:
    """→ how many users the events are of, and how many were kept. Raises ``StorageError``; run it again then.

    ``trends`` get the sum of what the states say. A job that counts goes on over it with its own sums.
    """
    seen = kept = 0
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    remaining = iter(users)
    with (progress or Silent()).task("Making the states again") as advance:
        while chunk := list(islice(remaining, _CHUNK)):
            kept += states.rebuild(chunk)
            for one in chunk if trends is not None else ():
                _count(one, weights)
            seen += len(chunk)
            advance(len(chunk))
    if trends is not None:
        newest = max((bucket for bucket, _ in weights), default=0)
        trends.write({pair: one for pair, one in weights.items() if one > 0 and pair[0] > newest - trending.BUCKETS})
    return seen, kept


def _count(one: Rebuilt, weights: defaultdict[tuple[int, int], float]) -> None:
    """Add what a user's events say is asked for."""
    if one.state is None:
        return
    before = one.before or UserState(user_id=one.user_id)
    said = {anime_id for anime_id, opinion in one.state.opinions.items() if before.opinions.get(anime_id) != opinion}
    for anime_id in sorted(said | {click.anime_id for click in one.state.clicks}):
        for bucket, by in trending.moves(before, one.state, anime_id).items():
            weights[bucket, anime_id] += by


def compare(users: Iterable[Rebuilt], states: RebuildsStates) -> Comparison:
    """How the store's states stand to those made again; writes nothing."""
    seen = equal = 0
    behind: list[str] = []
    ahead: list[str] = []
    different: list[str] = []
    for one in users:
        seen += 1
        held = states.get(one.user_id)
        if held == one.state:
            equal += 1
        elif held is not None and (one.state is None or held.version > one.state.version):
            ahead.append(one.user_id)
        elif held is None or (one.state is not None and held.version < one.state.version):
            behind.append(one.user_id)
        else:
            different.append(one.user_id)
    return Comparison(seen, equal, tuple(behind), tuple(ahead), tuple(different))
