"""What is said between the processes of the two stages, as MessagePack: arrays as bytes, nothing rounded."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.stages import Found
from gars.domain.candidates import Candidates, Filters
from gars.domain.history import History

CONTENT_TYPE = "application/msgpack"
RECALL = "/api/v1/recall"
"""Takes ``Wanted``, gives candidates."""
RECALL_IDS = "/api/v1/recall/ids"
"""Takes ``Wanted``, gives ids."""
RANK = "/api/v1/rank"
"""Takes ``ToRank``, gives a list."""


class Array(msgspec.Struct, array_like=True, frozen=True):
    """An array: type, shape, content in C order."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes


_HISTORY = {
    "anime_ids": "anime_ids", "ratings": "ratings", "strengths": "weights", "hidden": "hidden", "clicks": "clicks",
    "unfinished": "unfinished", "dropped": "dropped",
}  # fmt: skip
"""Attribute of ``History`` by column name; names stay as they are, so that services of two versions understand."""
_FOUND = ("rows", "channel_scores", "proposed", "strongest", "supporters", "fused")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates or ids for whom, how many, which."""

    history: dict[str, Array]
    want: int
    filters: Filters


class FoundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates of a model."""

    model_version: str
    columns: dict[str, Array]
    channel_names: tuple[str, ...]


class ToRank(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates to be put in order, for whom, which places of it."""

    history: dict[str, Array]
    found: FoundMessage
    k: int
    offset: int
    filters: Filters


encode = msgspec.msgpack.encode


def pack(array: NDArray[np.generic]) -> Array:
    """An array as a message."""
    return Array(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())


def unpack(message: Array) -> NDArray[np.generic]:
    """The array of a message; raises ``ValueError`` for one that is none."""
    kind = np.dtype(message.dtype)
    if kind.hasobject:
        raise ValueError(f"no array of {message.dtype}")
    array: NDArray[np.generic] = np.frombuffer(message.content, kind).reshape(message.shape)
    return array


def pack_history(history: History) -> dict[str, Array]:
    """Column → array."""
    return {name: pack(getattr(history, attribute)) for name, attribute in _HISTORY.items()}


def unpack_history(columns: dict[str, Array]) -> History:
    """Raises ``ValueError`` for columns that are no history."""
    _check_names(columns, tuple(_HISTORY))
    return History(**{_HISTORY[name]: unpack(array) for name, array in columns.items()})  # type: ignore[arg-type]


def pack_found(found: Found) -> FoundMessage:
    """Candidates as a message."""
    columns = {name: pack(getattr(found.candidates, name)) for name in _FOUND}
    return FoundMessage(
        model_version=found.model_version, columns=columns, channel_names=found.candidates.channel_names
    )


def unpack_found(message: FoundMessage) -> Found:
    """Raises ``ValueError`` for columns that are no candidates."""
    _check_names(message.columns, _FOUND)
    columns = {name: unpack(array) for name, array in message.columns.items()}
    return Found(message.model_version, Candidates(**columns, channel_names=message.channel_names))  # type: ignore[arg-type]


def _check_names(columns: dict[str, Array], names: tuple[str, ...]) -> None:
    if set(columns) != set(names):
        raise ValueError(f"columns {', '.join(sorted(columns))} in place of {', '.join(sorted(names))}")
