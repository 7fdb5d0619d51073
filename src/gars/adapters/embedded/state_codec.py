"""Bytes of a user state in the file: columns instead of rows, compressed.

A list of a hundred titles repeats its field names, times and words a hundred times, and neighbouring titles have
neighbouring ids. So the registers are written as columns (ids, values, times, ties), ids and times as differences from
the one before, and the whole is compressed: a third of the bytes of compressed MessagePack, in a quarter more time.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

import msgspec

from gars.domain import user_state
from gars.domain.user_state import Click, Opinion, Register, Stamp, UserState

_COLUMNS = b"\x01"
_ZLIB = b"\x78"
_LEVEL = 3
"""Level 6 saves 2 %."""


class _Stamps(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Stamps of a column: differences of the times; ``ties`` is empty where all are 0."""

    times: list[int]
    ties: list[int]


class _Registers(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One register of the opinions that have it."""

    at: list[int]
    """Differences of the indexes of these opinions; empty where every opinion has it."""
    values: list[int | str | None]
    stamps: _Stamps


class _Columns(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A user state."""

    user_id: str
    version: int
    rating_sums: tuple[int, int, int]
    anime_ids: list[int]
    """Differences of the ids of the opinions, in their order."""
    registers: list[_Registers | None]
    """One for each field of ``Opinion``; ``None`` if no opinion has it."""
    clicked: list[int]
    click_stamps: _Stamps
    recent_event_ids: tuple[str, ...]


_same_id = dict[int, int]().setdefault
"""Returns one object for equal ids: those of all states in memory would take a tenth of it."""
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Columns)


def pack(state: UserState) -> bytes:
    """Encode and compress a state."""
    columns = zip(*map(msgspec.structs.astuple, state.opinions.values()), strict=True)
    encoded = _encoder.encode(
        _Columns(
            state.user_id,
            state.version,
            (state.rating_count, state.rating_sum, state.rating_sum_of_squares),
            _to_differences(list(state.opinions)),
            [_encode_registers(column) for column in columns],
            [click.anime_id for click in state.clicks],
            _encode_stamps([click.stamp for click in state.clicks]),
            state.recent_event_ids,
        )
    )
    return _COLUMNS + zlib.compress(encoded, _LEVEL)


def unpack(data: bytes) -> UserState:
    """Decode a state; also those of older versions: MessagePack maps, compressed or not.

    Raises:
        ValueError: these are not the bytes of a state.
    """
    try:
        if data.startswith(_COLUMNS):
            return _build_state(_decoder.decode(zlib.decompress(data[1:])))
        return user_state.decode(zlib.decompress(data) if data.startswith(_ZLIB) else data)
    except (msgspec.DecodeError, zlib.error, IndexError) as error:
        raise ValueError(str(error)) from error


def _build_state(columns: _Columns) -> UserState:
    anime_ids = [_same_id(anime_id, anime_id) for anime_id in accumulate(columns.anime_ids)]
    fields = [_decode_registers(registers, len(anime_ids)) for registers in columns.registers]
    stamps = _decode_stamps(columns.click_stamps)
    rating_count, rating_sum, rating_sum_of_squares = columns.rating_sums
    return UserState(
        user_id=columns.user_id,
        version=columns.version,
        opinions=dict(zip(anime_ids, map(Opinion, *fields), strict=True)) if fields else {},
        clicks=tuple(map(Click, stamps, columns.clicked)),
        rating_count=rating_count,
        rating_sum=rating_sum,
        rating_sum_of_squares=rating_sum_of_squares,
        recent_event_ids=columns.recent_event_ids,
    )


def _encode_registers(column: Sequence[Register | None]) -> _Registers | None:
    held = [register for register in column if register is not None]
    if not held:
        return None
    is_full = len(held) == len(column)
    at = [] if is_full else _to_differences([at for at, register in enumerate(column) if register is not None])
    return _Registers(at, [register.value for register in held], _encode_stamps([register.stamp for register in held]))


def _decode_registers(registers: _Registers | None, length: int) -> Sequence[Register | None]:
    if registers is None:
        return (None,) * length
    held = list(map(Register, registers.values, _decode_stamps(registers.stamps)))
    if not registers.at:
        return held
    column: list[Register | None] = [None] * length
    for at, register in zip(accumulate(registers.at), held, strict=True):
        column[at] = register
    return column


def _encode_stamps(stamps: Sequence[Stamp]) -> _Stamps:
    ties = [stamp.tie for stamp in stamps]
    return _Stamps(_to_differences([stamp.time_ms for stamp in stamps]), ties if any(ties) else [])


def _decode_stamps(stamps: _Stamps) -> list[Stamp]:
    return list(map(Stamp, accumulate(stamps.times), stamps.ties or [0] * len(stamps.times)))


def _to_differences(numbers: list[int]) -> list[int]:
    return list(map(sub, numbers, [0, *numbers]))
