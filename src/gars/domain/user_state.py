"""Everything the online path knows of a user, and the one pure function that changes it.

The state is a set of last-writer-wins registers ordered by ``(event time, hash of event id)``, plus the latest
clicks. Both are insensitive to the order in which events arrive, and to events that arrive twice (Shapiro et al.,
"Conflict-free Replicated Data Types", 2011). Only ``version`` and ``recent_event_ids`` count arrivals.

One exception keeps a wrong clock from hiding what comes after it: an event of now replaces what was written at a time
that has not come yet when the event is accepted, or in the same millisecond. There the order of the log decides, which
is the same for a live service, a Flink job and a replay.

Nothing here depends on a model or a catalogue: embeddings and tag affinities are looked up when a list is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from gars.domain.interaction import MAX_CLOCK_SKEW, Interaction, Kind, Status

MAX_CLICKS = 50
MAX_RECENT_EVENT_IDS = 256
_NOW_MS = round(MAX_CLOCK_SKEW.total_seconds() * 1000)
"""Tolerance for a client's clock that is behind."""


# gc=False below: small values that hold numbers and each other, never a cycle. Without it the garbage collector walks
# through all of them while many states are read, which takes eight times as long as reading them.
class Stamp(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """When a register was written; ``tie`` orders events of the same millisecond the same way everywhere."""

    time_ms: int
    tie: int


class Register(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value and when it was written; ``value=None`` is a value taken back (it still beats older writes)."""

    value: int | str | None
    stamp: Stamp


class Opinion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A user's opinion of one anime. ``reaction`` is +1 liked, -1 disliked; ``unclicked`` hides earlier clicks."""

    rating: Register | None = None
    status: Register | None = None
    reaction: Register | None = None
    seen: Register | None = None
    dismissed: Register | None = None
    unclicked: Register | None = None

    @property
    def is_empty(self) -> bool:
        """True if every part was withdrawn."""
        return all(_value(getattr(self, name)) is None for name in self.__struct_fields__ if name != "unclicked")


class Click(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """One click; ordered by its stamp."""

    stamp: Stamp
    anime_id: int


class UserState(msgspec.Struct, frozen=True, kw_only=True):
    """A user as the online path sees them.

    ``version`` grows by one with every event that was new; caches and sinks compare it.
    ``rating_*`` are exact integer sums over the ratings in ``opinions``.
    """

    user_id: str
    version: int = 0
    opinions: dict[int, Opinion] = {}
    clicks: tuple[Click, ...] = ()
    """The latest clicks, newest first, at most ``MAX_CLICKS``."""
    rating_count: int = 0
    rating_sum: int = 0
    rating_sum_of_squares: int = 0
    recent_event_ids: tuple[str, ...] = ()

    @property
    def rating_mean(self) -> float | None:
        """Mean of the stated ratings, or ``None`` without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None

    @property
    def rating_variance(self) -> float | None:
        """Population variance of the stated ratings, or ``None`` without any."""
        if not self.rating_count:
            return None
        mean = self.rating_sum / self.rating_count
        return max(0.0, self.rating_sum_of_squares / self.rating_count - mean * mean)


_REGISTER_OF = {
    Kind.RATE: "rating",
    Kind.STATUS: "status",
    Kind.LIKE: "reaction",
    Kind.DISLIKE: "reaction",
    Kind.SEEN: "seen",
    Kind.DISMISS: "dismissed",
    Kind.CLICK: "unclicked",
}


def register_of(kind: Kind) -> str:
    """Return the name of the register of ``Opinion`` that events of a kind write; of a click what takes it back."""
    return _REGISTER_OF[kind]


def apply(state: UserState, event: Interaction) -> UserState:
    """The state after one event. Pure, deterministic, idempotent by ``event_id``, indifferent to arrival order."""
    if event.event_id in state.recent_event_ids:
        return state
    stamp = Stamp(event.time_ms, _tie(event.event_id))
    before = _without_later(state, event)
    changed = (
        _add_click(before, Click(stamp, event.anime_id))
        if event.kind is Kind.CLICK and not event.undo
        else _write(before, event.anime_id, _REGISTER_OF[event.kind], Register(_written(event), stamp))
    )
    return msgspec.structs.replace(
        changed,
        version=state.version + 1,
        recent_event_ids=(event.event_id, *state.recent_event_ids)[:MAX_RECENT_EVENT_IDS],
    )


def fold(state: UserState, events: Iterable[Interaction]) -> UserState:
    """The state after many events."""
    for event in events:
        state = apply(state, event)
    return state


def fold_users(
    events: Iterable[Interaction], stored: Callable[[str], UserState | None]
) -> Iterator[tuple[Interaction, UserState]]:
    """Yield each event with its user's state after it; ``stored`` returns the state before a user's first event."""
    states: dict[str, UserState] = {}
    for event in events:
        before = states.get(event.user_id) or stored(event.user_id) or UserState(user_id=event.user_id)
        state = states[event.user_id] = apply(before, event)
        yield event, state


def contradicts(state: UserState, event: Interaction) -> bool:
    """Return whether the state still shows that an event's id stands for something else."""
    tie = _tie(event.event_id)
    is_click = event.kind is Kind.CLICK and not event.undo
    own = (event.anime_id, "click" if is_click else _REGISTER_OF[event.kind], 1 if is_click else _written(event))
    clicks = [(click.anime_id, "click", 1) for click in state.clicks if click.stamp.tie == tie]
    registers = [
        (anime_id, name, register.value)
        for anime_id, opinion in state.opinions.items()
        for name in opinion.__struct_fields__
        if (register := getattr(opinion, name)) is not None and register.stamp.tie == tie
    ]
    held = clicks + registers
    return bool(held) and own not in held


class Row(NamedTuple):
    """One title of a list as a data set knows it; ``time_ms=None`` where it has no times."""

    anime_id: int
    rating: int | None = None
    status: str | None = None
    time_ms: int | None = None


UNTIMED_MS = 1_420_070_400_000
"""2015-01-01: a row without a time counts as written here, later rows a millisecond each later."""


def initial(user_id: str, rows: Iterable[Row]) -> UserState:
    """The state of a user of the data set before their first live event: version 0, any live event is newer.

    A row without rating and status counts as completed. Of a title named twice the last row wins.
    """
    opinions: dict[int, Opinion] = {}
    for number, (anime_id, rating, status, time_ms) in enumerate(rows):
        stamp = Stamp(UNTIMED_MS + number if time_ms is None else time_ms, 0)
        if status is None and rating is None:
            status = Status.COMPLETED.value
        opinions.pop(anime_id, None)
        opinions[anime_id] = Opinion(
            None if rating is None else Register(rating, stamp), None if status is None else Register(status, stamp)
        )
    ratings = [int(o.rating.value) for o in opinions.values() if o.rating is not None and o.rating.value is not None]
    return UserState(
        user_id=user_id,
        opinions=opinions,
        rating_count=len(ratings),
        rating_sum=sum(ratings),
        rating_sum_of_squares=sum(r * r for r in ratings),
    )


def _without_later(state: UserState, event: Interaction) -> UserState:
    """Return the state with what an event of now must not lose against moved to just before the event.

    That is its register, and all clicks for an event about clicks.
    """
    now_ms = event.accepted_ms
    if now_ms is None or event.time_ms < now_ms - _NOW_MS:
        return state  # not of now: it has its place among the others
    first_late = now_ms if event.time_ms == now_ms else now_ms + 1
    name = _REGISTER_OF[event.kind]
    opinion = state.opinions.get(event.anime_id)
    register: Register | None = getattr(opinion, name) if opinion is not None else None
    changed = state
    if opinion is not None and register is not None and register.stamp.time_ms >= first_late:
        moved = Register(register.value, Stamp(event.time_ms - 1, register.stamp.tie))
        changed = msgspec.structs.replace(
            state,
            opinions={**state.opinions, event.anime_id: msgspec.structs.replace(opinion, **{name: moved})},
        )
    if event.kind is Kind.CLICK and state.clicks and state.clicks[0].stamp.time_ms >= first_late:
        late = sum(click.stamp.time_ms >= first_late for click in state.clicks)
        clicks = [
            Click(Stamp(event.time_ms - 1 - number, click.stamp.tie), click.anime_id)
            for number, click in enumerate(state.clicks[:late])
        ]
        changed = msgspec.structs.replace(changed, clicks=tuple(sorted([*clicks, *state.clicks[late:]], reverse=True)))
    return changed


def _written(event: Interaction) -> int | str | None:
    """Return the value of the event's register."""
    if event.kind is Kind.CLICK:
        return 1  # only an undo reaches the register: clicks up to here are hidden
    if event.undo:
        return None
    match event.kind:
        case Kind.LIKE:
            return 1
        case Kind.DISLIKE:
            return -1
        case Kind.RATE | Kind.STATUS:
            return event.value.value if isinstance(event.value, Status) else event.value
        case _:
            return 1


def _write(state: UserState, anime_id: int, name: str, register: Register) -> UserState:
    """Write one register if it is newer than what is there."""
    opinion = state.opinions.get(anime_id, Opinion())
    current: Register | None = getattr(opinion, name)
    if current is not None and current.stamp >= register.stamp:
        return state
    changed = msgspec.structs.replace(
        state, opinions={**state.opinions, anime_id: msgspec.structs.replace(opinion, **{name: register})}
    )
    if name == "rating":
        return _recount(changed, _value(current), register.value)
    if name == "unclicked":
        kept = tuple(c for c in state.clicks if c.anime_id != anime_id or c.stamp > register.stamp)
        return msgspec.structs.replace(changed, clicks=kept)
    return changed


def _recount(state: UserState, before: int | str | None, after: int | str | None) -> UserState:
    old, new = (int(before) if before is not None else 0), (int(after) if after is not None else 0)
    return msgspec.structs.replace(
        state,
        rating_count=state.rating_count + (after is not None) - (before is not None),
        rating_sum=state.rating_sum + new - old,
        rating_sum_of_squares=state.rating_sum_of_squares + new * new - old * old,
    )


def _add_click(state: UserState, click: Click) -> UserState:
    """Keep the newest clicks of those seen; a click taken back later in event time stays away."""
    hidden = state.opinions.get(click.anime_id, Opinion()).unclicked
    if hidden is not None and hidden.stamp >= click.stamp:
        return state
    if not state.clicks or click > state.clicks[0]:  # as nearly always
        return msgspec.structs.replace(state, clicks=(click, *state.clicks)[:MAX_CLICKS])
    if click in state.clicks:
        return state
    newest_first = sorted((*state.clicks, click), reverse=True)[:MAX_CLICKS]
    return msgspec.structs.replace(state, clicks=tuple(newest_first))


def _value(register: Register | None) -> int | str | None:
    return register.value if register is not None else None


def _tie(event_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=6).digest(), "big")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(UserState)


def encode(state: UserState) -> bytes:
    """The state as MessagePack: what every store keeps."""
    return _encoder.encode(state)


def decode(data: bytes) -> UserState:
    """The state back from ``encode``; raises ``msgspec.DecodeError`` on anything else."""
    return _decoder.decode(data)
