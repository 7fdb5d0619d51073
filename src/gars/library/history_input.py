"""Histories, ids and counts as callers of the library give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gars.datasets.identifiers import parse_id
from gars.domain.errors import InvalidInputError
from gars.library.tables import read_table, values_of

_PAIRS = "give pairs: history=[(id, rating), (id, None)]; None = not rated"
_LARGEST = 2**63 - 1


def checked_k(k: object) -> int:
    """Return how many are asked for.

    Raises:
        InvalidInputError: it is not a whole number from 1.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidInputError(f"k is {k!r}", hint="k is how many to return, a whole number from 1")
    return int(k)


def read_pairs(history: Any) -> list[tuple[Any, float | None]]:
    """Return the ids and ratings of a history: pairs, a mapping of id to rating, or a table with ``item_id``.

    Raises:
        InvalidInputError: an entry is not a pair, or a rating is no number.
    """
    if isinstance(history, Mapping):
        history = history.items()
    elif hasattr(history, "columns"):
        history = _of_table(history)
    elif isinstance(history, str) or not hasattr(history, "__iter__"):
        raise InvalidInputError(f"the history is {history!r}", hint=_PAIRS)
    pairs: list[tuple[Any, float | None]] = []
    for place, entry in enumerate(history):
        if not isinstance(entry, tuple | list | np.ndarray) or len(entry) != 2:
            raise InvalidInputError(
                f"history, entry {place} (from 0): {entry!r} is no pair of id and rating", hint=_PAIRS
            )
        item, rating = entry
        if rating is not None and (isinstance(rating, bool) or not isinstance(rating, int | float | np.number)):
            raise InvalidInputError(
                f"history, entry {place} (from 0): rating {rating!r} of {item!r} is no number", hint=_PAIRS
            )
        pairs.append((item, None if rating is None or rating != rating else float(rating)))
    return pairs


def _of_table(history: Any) -> list[tuple[Any, Any]]:
    table = read_table(history, "history")
    name = next((one for one in ("item_id", "anime_id") if one in table), None)
    if name is None:
        raise InvalidInputError(
            f"the history has no column item_id; there are: {', '.join(table.names)}", hint="name it item_id"
        )
    items = values_of(table.column(name))
    ratings = values_of(table.column("rating")) if "rating" in table else [None] * len(items)
    return list(zip(items, ratings, strict=True))


def find_labels(labels: Sequence[Any], known: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of each label in ``known`` (n,), ascending, -1 where it is not there. (m,) → (m,)

    ``100``, ``100.0`` and ``"100"`` are the same id.

    Raises:
        InvalidInputError: a label is no id.
    """
    numeric = known.dtype.kind == "i"
    if numeric and set(map(type, labels)) == {int} and len(known):
        plain = np.array(labels)
        if plain.dtype == np.int64:  # larger numbers become objects, and are refused below
            at = np.minimum(np.searchsorted(known, plain), len(known) - 1)
            return np.where(known[at] == plain, at, -1)
    wanted = [_as_number(label) if numeric else _as_text(label) for label in labels]
    fits = np.array([label is not None for label in wanted], np.bool_)
    if not len(known) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    filled = np.array([known[0] if label is None else label for label in wanted], known.dtype if numeric else str)
    at = np.minimum(np.searchsorted(known, filled), len(known) - 1)
    return np.where((known[at] == filled) & fits, at, -1).astype(np.int64)


def _as_number(label: object) -> int | None:
    """The number of an id, ``None`` for text that is no number."""
    if isinstance(label, str):
        return parse_id(label)
    number = label.item() if isinstance(label, np.number) else label
    if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= _LARGEST:
        whole = int(number)
        if whole == number:
            return whole
    raise _no_id(label)


def _as_text(label: object) -> str:
    if isinstance(label, str):
        return str(label)
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        return str(int(label))
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    raise _no_id(label)


def _no_id(label: object) -> InvalidInputError:
    return InvalidInputError(f"{label!r} is no id", hint="ids are whole numbers below 2**63, or text")
