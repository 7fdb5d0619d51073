"""Messages between the processes of the two stages, as MessagePack: arrays as bytes, without rounding."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.stages import Found
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
"""Attribute of ``History`` by column name; the names are fixed, for compatibility between versions."""
_FOUND = ("rows", "channel_scores", "proposed", "strongest", "supporters", "fused")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Request for candidates or ids for a history under filters; candidates of ``model_version`` only, unless empty."""

    history: dict[str, Array]
    want: int
    filters: Filters
    model_version: str = ""


class FoundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates of a model."""

    model_version: str
    columns: dict[str, Array]
    channel_names: tuple[str, ...]


class ToRank(msgspec.Struct, frozen=True, kw_only=True):
    """Request to rank candidates for a history, with the ranks to return."""

    history: dict[str, Array]
    found: FoundMessage
    k: int
    offset: int
    filters: Filters


encode = msgspec.msgpack.encode


def pack(array: NDArray[np.generic]) -> Array:
    """Convert an array to a message."""
    return Array(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())


def unpack(message: Array) -> NDArray[np.generic]:
    """Convert a message to an array; raises ``ValueError`` for an invalid one.

    The array is writable, as those made in this process: numba compiles a kernel anew for read-only arrays.
    """
    kind = np.dtype(message.dtype)
    if kind.hasobject:
        raise ValueError(f"no array of {message.dtype}")
    array: NDArray[np.generic] = np.frombuffer(bytearray(message.content), kind).reshape(message.shape)
    return array


def pack_history(history: History) -> dict[str, Array]:
    """Convert a history to column → array."""
    return {name: pack(getattr(history, attribute)) for name, attribute in _HISTORY.items()}


def unpack_history(columns: dict[str, Array]) -> History:
    """Convert columns to a history; raises ``ValueError`` for other columns."""
    _check_names(columns, tuple(_HISTORY))
    return History(**{_HISTORY[name]: unpack(array) for name, array in columns.items()})  # type: ignore[arg-type]


def pack_found(found: Found) -> FoundMessage:
    """Convert candidates to a message."""
    columns = {name: pack(getattr(found.candidates, name)) for name in _FOUND}
    return FoundMessage(
        model_version=found.model_version, columns=columns, channel_names=found.candidates.channel_names
    )


def unpack_found(message: FoundMessage) -> Found:
    """Convert a message to candidates; raises ``ValueError`` for other columns."""
    _check_names(message.columns, _FOUND)
    columns = {name: unpack(array) for name, array in message.columns.items()}
    return Found(message.model_version, Candidates(**columns, channel_names=message.channel_names))  # type: ignore[arg-type]


def _check_names(columns: dict[str, Array], names: tuple[str, ...]) -> None:
    if set(columns) != set(names):
        raise ValueError(f"columns {', '.join(sorted(columns))} in place of {', '.join(sorted(names))}")
