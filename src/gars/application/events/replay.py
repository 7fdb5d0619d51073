"""Rebuild states from the events: after the state store was lost, or to verify it.

A state is a fold of the user's events in the order of the log over their initial state in a data set, so the result is
identical to the last bit. A rebuild of a store in use changes nothing: equal versions hold equal states, older ones are
ignored, and nothing from before a tombstone is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from gars.application.ports import EventHistory, Logged
from gars.domain import trending, user_state
from gars.domain.user_state import UserState
from gars.runtime.progress import Progress, Silent

_CHUNK = 500

Initial = Callable[[str], UserState | None]
"""Returns a user's initial state in a data set; ``None`` if there is none or the user was forgotten."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A user rebuilt from events. ``state=None``: forgotten, without later events."""

    user_id: str
    state: UserState | None
    offset: int
    """Offset of their last record."""
    before: UserState | None = None
    """Their initial state in a data set, which is no part of a trend."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of stored states with rebuilt ones."""

    users: int
    equal: int
    behind: tuple[str, ...] = ()
    """Users whose stored state is older or missing."""
    ahead: tuple[str, ...] = ()
    """Users with events from after the log was read."""
    different: tuple[str, ...] = ()
    """Users with another state of the same version, which is an error."""


def from_log(records: Iterable[Logged], initial: Initial) -> Iterator[Rebuilt]:
    """Fold a whole log. Holds the encoded state of every user in memory until the log ends."""
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
    """Fold the history of one user after the other, with one state in memory."""
    for user_id in history.users():
        before = initial(user_id)
        state = before or UserState(user_id=user_id)
        last = 0
        for last, event in history.read_user(user_id):  # noqa: B007 the last offset is returned
            state = user_state.apply(state, event)
        if last:
            yield Rebuilt(user_id, state, last, before)


def write(
    users: Iterable[Rebuilt],
    store: Callable[[Sequence[Rebuilt]], int],
    *,
    set_trends: Callable[[Mapping[tuple[int, int], float]], None] | None = None,
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Store rebuilt users. → numbers of users rebuilt and stored. Run it again after a ``StorageError``.

    Args:
        users: the rebuilt users.
        store: stores those that are not older than the stored ones, and returns their number.
        set_trends: sets ``(bucket, anime) → weight`` to the sums over the states; a running job later overwrites them.
        progress: shows the number of users.

    Raises:
        StorageError: by ``store`` and ``set_trends``.
    """
    seen = kept = 0
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    remaining = iter(users)
    with (progress or Silent()).task("Making the states again") as advance:
        while chunk := list(islice(remaining, _CHUNK)):
            kept += store(chunk)
            for one in chunk if set_trends is not None else ():
                _count(one, weights)
            seen += len(chunk)
            advance(len(chunk))
    if set_trends is not None:
        newest = max((bucket for bucket, _ in weights), default=0)
        set_trends({pair: one for pair, one in weights.items() if one > 0 and pair[0] > newest - trending.BUCKETS})
    return seen, kept


def _count(one: Rebuilt, weights: defaultdict[tuple[int, int], float]) -> None:
    """Add a user's contributions to the trending counters."""
    if one.state is None:
        return
    before = one.before or UserState(user_id=one.user_id)
    changed = {anime_id for anime_id, opinion in one.state.opinions.items() if before.opinions.get(anime_id) != opinion}
    for anime_id in sorted(changed | {click.anime_id for click in one.state.clicks}):
        for bucket, by in trending.moves(before, one.state, anime_id).items():
            weights[bucket, anime_id] += by


def compare(users: Iterable[Rebuilt], find_state: Callable[[str], UserState | None]) -> Comparison:
    """Compare the stored states, which ``find_state`` returns, with rebuilt ones; writes nothing."""
    seen = equal = 0
    behind: list[str] = []
    ahead: list[str] = []
    different: list[str] = []
    for one in users:
        seen += 1
        held = find_state(one.user_id)
        if held == one.state:
            equal += 1
        elif held is not None and (one.state is None or held.version > one.state.version):
            ahead.append(one.user_id)
        elif held is None or (one.state is not None and held.version < one.state.version):
            behind.append(one.user_id)
        else:
            different.append(one.user_id)
    return Comparison(seen, equal, tuple(behind), tuple(ahead), tuple(different))
