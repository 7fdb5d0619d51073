"""Interactions of any make into the arrays the models fit on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.statuses import look_up
from gars.domain.errors import InvalidInputError
from gars.library.columns import Labels, as_numbers, read_ids, read_ratings, read_times, same_kind
from gars.library.tables import Table, read_table, values_of

TOP_RATING = 10
_AT_ONCE = 1 << 22
_SMALL_RANGE = 1 << 22
PLANNED = "planned"
"""Status of a title that the user has not begun: no interaction."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """List entries (m,), one a (user, item) pair, sorted by user then item; ids are positions in the sorted labels."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    rating: NDArray[np.float32]
    """On the scale 1–10; NaN = seen, not rated."""
    user_ids: NDArray[Any]
    """(u,) ascending labels, int64 or str."""
    item_ids: NDArray[Any]
    """(n,) ascending labels, int64 or str."""
    rating_scale: float
    """Factor from the data's scale of ratings to 1–10: 2 for data of up to 5 stars."""
    has_ratings: bool
    """False: there is no rating at all, so what was seen counts as liked."""
    duplicates: int
    """Rows dropped because a later one names the same pair."""


def rows_of(interactions: Any, catalogue_ids: Sequence[Any] | NDArray[Any] = ()) -> Rows:
    """Interactions with columns ``user_id, item_id[, rating][, time]`` as ``Rows``; a pair named twice keeps its last.

    "Last" is by ``time`` where there is one, else by place. ``catalogue_ids`` extend the items; where they are whole
    numbers and the item ids are the same as text, the items are whole numbers.

    Raises:
        InvalidInputError: a column is missing, a cell holds what it cannot hold (with its row), ratings are on no known
            scale, or the ids of the two tables are of different kinds.
    """
    table = read_table(interactions, "interactions")
    item_name = "item_id" if "item_id" in table or "anime_id" not in table else "anime_id"
    missing = [name for name in ("user_id", item_name) if name not in table]
    if missing:
        raise InvalidInputError(
            f"interactions have no column {' and '.join(missing)}; there are: {', '.join(table.names)}",
            hint="name the columns user_id, item_id and, if known, rating and time",
        )
    if not table.height:
        raise InvalidInputError("interactions are empty", hint="give at least one row")
    user_labels, item_labels = read_ids(table, "user_id"), read_ids(table, item_name)
    more: Labels = np.asarray(catalogue_ids)
    if len(more):
        if more.dtype.kind == "i" and (numbers := as_numbers(item_labels)) is not None:
            item_labels = numbers
        elif more.dtype.kind == "i":
            same_kind(item_labels, more, "interactions")  # says which
        more = same_kind(more, item_labels, "catalogue")
    if "rating" in table:
        rating, scale = read_ratings(table, "rating")
    else:
        rating, scale = np.full(table.height, np.nan, np.float32), 1.0
    begun = _begun(table)
    if not begun.any():
        raise InvalidInputError("interactions are empty: all are planned", hint="give at least one row that was begun")
    times = read_times(table, "time") if "time" in table else None
    is_sorted = _is_sorted(user_labels, item_labels)
    if not is_sorted:
        keep = _last_of_each(user_labels, item_labels, times, begun)
        user_labels, item_labels, rating = user_labels[keep], item_labels[keep], rating[keep]
    elif not begun.all():
        user_labels, item_labels, rating = user_labels[begun], item_labels[begun], rating[begun]
    del times
    users, user = _positions(user_labels)
    items, item = _positions(item_labels, more)
    if not is_sorted:
        order = np.lexsort((item, user))
        user, item, rating = user[order], item[order], rating[order]
    return Rows(
        user=user,
        item=item,
        rating=rating,
        user_ids=users,
        item_ids=items,
        rating_scale=scale,
        has_ratings=bool((~np.isnan(rating)).any()),
        duplicates=int(begun.sum()) - len(user),
    )


def _is_sorted(users: Labels, items: Labels) -> bool:
    """Return true if the rows are sorted by user then item, numbers both, and name no pair twice."""
    if users.dtype.kind != "i" or items.dtype.kind != "i":
        return False
    for start in range(0, len(users) - 1, _AT_ONCE):
        user, item = users[start : start + _AT_ONCE + 1], items[start : start + _AT_ONCE + 1]
        if not ((user[1:] > user[:-1]) | ((user[1:] == user[:-1]) & (item[1:] > item[:-1]))).all():
            return False
    return True


def _positions(labels: Labels, more: Labels | None = None) -> tuple[Labels, NDArray[np.int64]]:
    """Return the ascending distinct labels (n,), those of ``more`` too, and the position in them of each of ``labels``.

    Numbers of a small range are looked up in a table: sorting 142 million of them takes four times their memory.
    """
    more = np.empty(0, labels.dtype) if more is None or not len(more) else more
    if labels.dtype.kind == "i" and len(labels):
        low = min(int(labels.min()), int(more.min(initial=labels[0])))
        high = max(int(labels.max()), int(more.max(initial=labels[0])))
        if high - low < max(2 * len(labels), _SMALL_RANGE):
            is_there = np.zeros(high - low + 1, np.bool_)
            is_there[labels - low] = True
            is_there[more - low] = True
            position = np.cumsum(is_there) - 1
            return np.flatnonzero(is_there) + low, position[labels - low]
    distinct, position = np.unique(np.concatenate([labels, more]) if len(more) else labels, return_inverse=True)
    return distinct, position[: len(labels)].astype(np.int64)


def _begun(table: Table) -> NDArray[np.bool_]:
    """Rows (m,) whose status, if there is one, is not planned, in any word of the vocabulary."""
    if "status" not in table:
        return np.ones(table.height, np.bool_)
    column = table.column("status")
    if not isinstance(column, pl.Series) or column.dtype != pl.String:
        words = [value if isinstance(value, str) else None for value in values_of(column)]
        column = pl.Series(words, dtype=pl.String)
    planned = [word for word in column.unique().to_list() if word is not None and _is_planned(word)]
    return (~column.is_in(planned)).fill_null(value=True).to_numpy()


def _is_planned(word: str) -> bool:
    known = look_up(word)
    return known is not None and known.status is not None and known.status.value == PLANNED


def _last_of_each(users: Labels, items: Labels, times: pl.Series | None, begun: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places (k,) of the last row of each (user, item) among those begun."""
    frame = pl.DataFrame({"user": users, "item": items}).with_row_index("row")
    if times is not None:
        frame = frame.with_columns(time=times)
    frame = frame.filter(pl.Series(begun))
    if times is not None:
        frame = frame.sort("time", maintain_order=True, nulls_last=False)
    return frame.unique(["user", "item"], keep="last", maintain_order=False)["row"].to_numpy().astype(np.int64)
