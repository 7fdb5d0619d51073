"""Fold the histories of the data set's users into their states, once, before the first request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from gars.application.ports import BACKFILLED, StateStore
from gars.domain import user_state
from gars.domain.user_state import Row
from gars.runtime.progress import Progress, Silent

T = TypeVar("T")

_CHUNK = 500
"""Users in one transaction."""


def backfill(
    users: Iterable[tuple[str, Sequence[Row]]],
    states: StateStore,
    *,
    content_hash: str,
    n_users: int | None = None,
    progress: Progress | None = None,
    again: bool = False,
) -> int:
    """Fold each user's rows into a version-0 state. → the number of states stored

    Does nothing when this data set (``content_hash``) was folded in before, unless ``again``. Users with live events
    and forgotten users are left unchanged. After a crash, run it again.

    Raises:
        StorageError: the state store failed.
    """
    if is_backfilled(states, content_hash) and not again:
        return 0
    kept = 0
    with (progress or Silent()).task("Folding in the users' histories", n_users) as advance:
        for chunk in _chunks(users, _CHUNK):
            kept += states.put_initial([user_state.initial(user_id, rows) for user_id, rows in chunk])
            advance(len(chunk))
    states.put([], checkpoints={BACKFILLED: content_hash})
    return kept


def is_backfilled(states: StateStore, content_hash: str) -> bool:
    """Return whether this data set was folded in already."""
    return states.checkpoint(BACKFILLED) == content_hash


def _chunks(entries: Iterable[T], size: int) -> Iterable[list[T]]:
    chunk: list[T] = []
    for entry in entries:
        chunk.append(entry)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
