"""Build ranking examples from impressions and the events attributed to them.

Cascade model (Craswell et al., "An experimental comparison of click position-bias models", 2008): a user examines the
list from the top. Items acted on are relevant, items skipped above them are not; items below are unobserved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError
from gars.domain.history import LIKED_ABOVE
from gars.domain.impression import Impression
from gars.domain.interaction import MAX_CLOCK_SKEW, Interaction, Kind, Status

WINDOW = timedelta(minutes=30)
"""Attribution window: the maximum time between an impression and an event attributed to it."""

Key: TypeAlias = tuple[str, int]
"""User and anime."""


@dataclass(frozen=True, slots=True, eq=False)
class RankingExamples:
    """Examined items, n in all, grouped by list; lists in the order shown, items from the top."""

    features: NDArray[np.float32]
    """(n, f) features at the time the list was shown."""
    relevant: NDArray[np.float32]
    """(n,) 1 = acted on, 0 = skipped or refused."""
    lists: NDArray[np.int64]
    """(n,) number of the list, from 0; only lists with both labels are included."""
    positions: NDArray[np.int64]
    """(n,) position in the list, from 0."""
    anime_ids: NDArray[np.int64]
    """(n,)"""
    shown: tuple[Impression, ...]
    """The impression of each list."""

    def __len__(self) -> int:
        return len(self.relevant)


def ranking_examples(
    impressions: Iterable[Impression], events: Iterable[Interaction], *, window: timedelta = WINDOW
) -> RankingExamples:
    """Join impressions to events, each event to at most one list.

    An event with a ``request_id`` belongs to that list; any other one to the user's latest list that showed the title
    within ``window`` before it. Lists of a fallback have no features and are left out, as are lists without a click or
    other positive event.

    Raises:
        InvalidInputError: the impressions are of models with different features.
    """
    shown = [one for one in impressions if one.fallback is None and any(item.features for item in one.items)]
    verdicts = _verdicts(shown, events, window)
    features: list[bytes] = []
    relevant: list[float] = []
    lists: list[int] = []
    positions: list[int] = []
    anime_ids: list[int] = []
    used: list[Impression] = []
    for number, impression in enumerate(shown):
        labels_of = verdicts.get(number, {})
        acted = [place for place, item in enumerate(impression.items) if labels_of.get(item.anime_id)]
        if not acted:
            continue
        examined = [
            item
            for place, item in enumerate(impression.items)
            # a refused item below the last click was examined too
            if item.features and (place <= acted[-1] or item.anime_id in labels_of)
        ]
        if len(examined) == sum(bool(labels_of.get(item.anime_id)) for item in examined):
            continue
        for item in examined:
            features.append(item.features)
            relevant.append(float(labels_of.get(item.anime_id, False)))
            lists.append(len(used))
            positions.append(item.position)
            anime_ids.append(item.anime_id)
        used.append(impression)
    return RankingExamples(
        _matrix(features),
        np.array(relevant, np.float32),
        np.array(lists, np.int64),
        np.array(positions, np.int64),
        np.array(anime_ids, np.int64),
        tuple(used),
    )


def _verdicts(
    shown: list[Impression], events: Iterable[Interaction], window: timedelta
) -> Mapping[int, Mapping[int, bool]]:
    """Return number of a list → anime → acted on (true) or refused (false); events taken back have no label."""
    by_request = {one.request_id: number for number, one in enumerate(shown)}
    by_title: defaultdict[Key, list[int]] = defaultdict(list)
    for number, one in enumerate(shown):
        for item in one.items:
            by_title[one.user_id, item.anime_id].append(number)
    labels_of: defaultdict[int, dict[int, dict[Kind, bool | None]]] = defaultdict(dict)
    for event in sorted(events, key=lambda one: (one.event_time, one.event_id)):
        found = _list_of(event, shown, by_request, by_title, window)
        if found is not None:
            labels_of[found].setdefault(event.anime_id, {})[event.kind] = None if event.undo else _verdict(event)
    return {
        number: {
            anime_id: all(known)
            for anime_id, kinds in titles.items()
            if (known := [verdict for verdict in kinds.values() if verdict is not None])
        }
        for number, titles in labels_of.items()
    }


def _list_of(
    event: Interaction,
    shown: list[Impression],
    by_request: Mapping[str, int],
    by_title: Mapping[Key, list[int]],
    window: timedelta,
) -> int | None:
    """Return the number of the list that an event is attributed to, ``None`` if there is none."""
    candidates = by_title.get((event.user_id, event.anime_id), [])
    if event.request_id is not None and event.request_id in by_request:
        number = by_request[event.request_id]
        # the client's clock may be wrong; the request id is not
        early = shown[number].time - MAX_CLOCK_SKEW
        return number if number in candidates and early <= event.event_time <= shown[number].time + window else None
    before = [number for number in candidates if shown[number].time <= event.event_time <= shown[number].time + window]
    return max(before, key=lambda number: (shown[number].time, number), default=None)


def _verdict(event: Interaction) -> bool | None:
    """Return the label of an event: positive, negative, or ``None`` if it is no feedback on the title."""
    match event.kind:
        case Kind.CLICK | Kind.LIKE:
            return True
        case Kind.DISLIKE | Kind.DISMISS:
            return False
        case Kind.RATE:
            return isinstance(event.value, int) and event.value > LIKED_ABOVE
        case Kind.STATUS:
            return event.value != Status.DROPPED
    return None  # "seen" is no feedback on the title


def _matrix(rows: list[bytes]) -> NDArray[np.float32]:
    widths = sorted({len(row) // 4 for row in rows})
    if len(widths) > 1:
        raise InvalidInputError(
            f"the lists were made by models with {' and '.join(map(str, widths))} features",
            hint="give the impressions of one model version",
        )
    return np.frombuffer(b"".join(rows), np.float32).reshape(len(rows), widths[0] if widths else 0)
