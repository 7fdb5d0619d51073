"""Compact encoding of impressions: about 1.4 kB for a list of 20 places with 70 features; MessagePack takes 7.7 kB.

Features are encoded by ``domain.feature_codec``: some are off by at most a 125th of their range in the list. All other
fields are decoded exactly. Features that depend on the title alone (``features.title_columns``) can be stored once for
all lists of a model, in ``Titles``; a record then does not contain them.

A record begins with a byte that no MessagePack begins with, and the number of its format. Records without it predate
this format: they are the ``Impression`` as MessagePack, and are still read.
"""

from __future__ import annotations

import re
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain import feature_codec, features
from gars.domain.candidates import Filters
from gars.domain.channel_bits import from_bits, to_bits
from gars.domain.feature_codec import Columns, from_planes, to_planes_many
from gars.domain.impression import Impression, ShownItem

_MARK = b"\xc1\x01"
"""0xc1 is the one byte that MessagePack never uses; then the number of the format."""
_LEVEL = 6
_KEPT = 256
"""Size of the cache of compressed lists."""
_HEXADECIMAL = re.compile("[0-9a-f]{32}")
_USUAL_FILTERS: dict[str, Any] = {
    "adult": False,
    "hide_sequels": True,
    "one_per_franchise": True,
    "hide_dropped_sequels": True,
    "hide_recaps": True,
    "min_members": 500,
    "diversity": 0.25,
}
"""Defaults, which are not written. Part of format 1: a change needs another format."""
_DICTIONARY = (
    b"\x04\x04\x04\x04\x04\x04\x04\x02\x02\x02\x02\x02\x02\x02\x04\x04\x04\x04\x02\x02\x02\x02\x00\x00\x00\x00\x00\x04\x01\x04"
    b"\x04\x01\x04\x04\x04\x04\x04\x04\x02\x04\x04\x04\x00\x04\x04\x04\x04\x04\x05\x04\x05\x04\x05\x05\x04\x04\x04\x04\xc4"
    b"unseen_firstgenresexclude_genresexclude_tagsexclude_idsepisodes_minepisodes_maxyear_minyear_maxmin_scoreshownniche"
    b"sessionretrievalhide_dropped_franchiseshide_recapsmin_membersdiversityone_per_franchiseadult\xc2released_by\xaa2026-"
    b"\xa7default\xc0\x14\x00\x81\xabreleased_by\xaa2026-11-28\xcb\x00\x00\x00\x00\x00\x00\x00\x00\x14"
    b"\x97\xa5edlae\xa8deepwalk\xa8item_knn\xa7content\xa4ials\xa8user_knn\xaapopularity"
)
"""Byte sequences that are common in records: the preset dictionary of zlib. Part of format 1."""


class Titles(Protocol):
    """Storage of the features that depend on the title alone, one row for each model version and title."""

    def put(self, model_version: str, anime_ids: Sequence[int], columns: NDArray[np.float32]) -> bool:
        """Store the rows (n, s); return false, and store nothing, if a title already has another row."""
        ...

    def get(self, model_version: str, anime_ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the rows (n, s). Raises ``KeyError`` if a title has none."""
        ...


class _Record(msgspec.Struct, array_like=True):
    request_id: str
    request_number: bytes
    """Replaces a ``request_id`` of 32 hexadecimal digits."""
    user_id: str
    time: datetime
    state_version: int
    model_version: str
    variant: str
    fallback: str | None
    k: int
    offset: int
    filters: dict[str, Any]
    explore: float
    items: bytes
    """``_Items``, compressed."""


class _Items(msgspec.Struct, array_like=True):
    n: int
    channels: list[str]
    channels_of: bytes | list[list[str]]
    """Bit masks over ``channels``, 32 bits per item; lists of names where the order would be lost."""
    anime_ids: bytes | list[int]
    positions: int | list[int]
    """The first position if the others follow it, else all of them."""
    scores: bytes | list[float]
    """As float32 where that is exact."""
    propensities: list[float] | None
    """``None``: all 1."""
    shared: bytes
    """Bit mask of the columns stored in ``Titles``; empty if there are none."""
    columns: Columns | None
    """Features of all items, if all have the same number of them."""
    odd_features: list[bytes] | None


class _List:
    """Items of a model, as the cache key of their compressed form. The hash is computed once, from the scores alone."""

    __slots__ = ("_hash", "_items", "_model_version")

    def __init__(self, model_version: str, items: tuple[ShownItem, ...]) -> None:
        self._model_version, self._items = model_version, items
        self._hash = hash((model_version, *[item.score for item in items]))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _List) and self._model_version == other._model_version and self._items == other._items


class ImpressionCodec:
    """Encodes and decodes impressions; with ``titles``, features that depend on the title alone are stored there.

    A list that is shown again, such as one from a cache, is compressed once.
    """

    def __init__(self, titles: Titles | None = None) -> None:
        self._titles = titles
        self._kept: OrderedDict[_List, bytes] = OrderedDict()

    def encode(self, impression: Impression) -> bytes:
        """Encode an impression. Not thread-safe."""
        return self.encode_many([impression])[0]

    def encode_many(self, impressions: Sequence[Impression]) -> list[bytes]:
        """Encode impressions as ``encode`` does; features of many lists take little longer than those of one.

        Not thread-safe.
        """
        keys = [_List(one.model_version, one.items) for one in impressions]
        new = {key: one for key, one in zip(keys, impressions, strict=True) if key not in self._kept}
        self._kept.update(zip(new, map(_packed, _items_of(list(new.values()), self._titles)), strict=True))
        records = []
        for key, one in zip(keys, impressions, strict=True):
            self._kept.move_to_end(key)
            records.append(_record(one, self._kept[key]))
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return records

    def decode(self, record: bytes) -> Impression:
        """Decode a record made by ``encode``, or an older one in MessagePack.

        Raises:
            ValueError: the bytes are no impression, have a later format, or need titles that are not stored.
        """
        if record[:1] == _MARK[:1] and record[1:2] != _MARK[1:]:
            raise ValueError(f"it has format {record[1:2].hex()}; this version of GARS reads {_MARK[1:].hex()}")
        try:
            if not record.startswith(_MARK):
                return _OLD.decode(record)
            one = _UNPACK.decode(memoryview(record)[len(_MARK) :])
            return Impression(
                request_id=one.request_number.hex() or one.request_id,
                user_id=one.user_id,
                time=one.time,
                state_version=one.state_version,
                model_version=one.model_version,
                variant=one.variant,
                fallback=one.fallback,
                k=one.k,
                offset=one.offset,
                filters=msgspec.convert(_USUAL_FILTERS | one.filters, Filters),
                explore=one.explore,
                items=_shown(one, self._titles),
            )
        except (zlib.error, msgspec.MsgspecError, KeyError, IndexError, OverflowError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def drop_kept(self) -> None:
        """Clear the cache of compressed lists, which may refer to rows that ``Titles`` no longer has."""
        self._kept.clear()


def _record(impression: Impression, items: bytes) -> bytes:
    is_number = _HEXADECIMAL.fullmatch(impression.request_id) is not None
    record = _Record(
        request_id="" if is_number else impression.request_id,
        request_number=bytes.fromhex(impression.request_id) if is_number else b"",
        user_id=impression.user_id,
        time=impression.time,
        state_version=impression.state_version,
        model_version=impression.model_version,
        variant=impression.variant,
        fallback=impression.fallback,
        k=impression.k,
        offset=impression.offset,
        filters=_unusual(impression.filters),
        explore=impression.explore or 0,  # a whole number takes one byte
        items=items,
    )
    return _MARK + _PACK.encode(record)


def _items_of(impressions: Sequence[Impression], titles: Titles | None) -> list[_Items]:
    """Return the items of each list; numbers of lists of one length are encoded together."""
    found = [_items(one.items) for one in impressions]
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for number, one in enumerate(found):
        alike[one.n].append(number)
    for numbers in alike.values():
        _set_numbers([found[number] for number in numbers], [impressions[number].items for number in numbers])
    _set_features(found, impressions, titles)
    return found


def _items(items: Sequence[ShownItem]) -> _Items:
    """Return all of a list but the ids, scores, channels and features of its items."""
    propensities = [item.propensity for item in items]
    return _Items(
        n=len(items),
        channels=[],
        channels_of=b"",
        anime_ids=b"",
        positions=_positions([item.position for item in items]),
        scores=b"",
        propensities=None if set(propensities) <= {1} else propensities,
        shared=b"",
        columns=None,
        odd_features=None,
    )


def _set_numbers(found: Sequence[_Items], lists: Sequence[Sequence[ShownItem]]) -> None:
    """Set ids, scores and channels of lists of one length."""
    ids = [[item.anime_id for item in items] for items in lists]
    is_short = [min(row, default=0) >= 0 and max(row, default=0) < 1 << 32 for row in ids]
    narrow = [row if fits else [0] * len(row) for row, fits in zip(ids, is_short, strict=True)]
    short_ids = to_planes_many(np.array(narrow, np.uint32))
    scores = np.array([[item.score for item in items] for items in lists], np.float64)
    with np.errstate(over="ignore"):
        short_scores = scores.astype(np.float32)
    is_exact = (short_scores == scores).all(axis=1).tolist()
    packed_scores = to_planes_many(short_scores)
    bits = []
    for number, (one, items) in enumerate(zip(found, lists, strict=True)):
        one.anime_ids = short_ids[number] if is_short[number] else ids[number]
        one.scores = packed_scores[number] if is_exact[number] else scores[number].tolist()
        one.channels, bits_of_items = to_bits([item.channels for item in items])
        if bits_of_items is None:
            one.channels_of = [list(item.channels) for item in items]
        bits.append(bits_of_items or [0] * len(items))
    for one, planes in zip(found, to_planes_many(np.array(bits, np.uint32)), strict=True):
        if isinstance(one.channels_of, bytes):
            one.channels_of = planes


def _set_features(found: Sequence[_Items], impressions: Sequence[Impression], titles: Titles | None) -> None:
    """Set the features of each list, encoded together where matrices have one shape; keep those of titles apart."""
    shapes: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for number, one in enumerate(impressions):
        rows = [item.features for item in one.items]
        widths = set(map(len, rows))
        if widths <= {0}:
            continue
        if len(widths) > 1 or (width := widths.pop()) % 4:
            found[number].odd_features = rows
        else:
            shapes[len(rows), width // 4].append(number)
    of_titles: dict[int, tuple[NDArray[np.float32], bytes]] = {}
    matrices: list[tuple[list[int], NDArray[np.float32], NDArray[np.float32]]] = []
    for (n, width), numbers in shapes.items():
        rows = [item.features for number in numbers for item in impressions[number].items]
        values = np.frombuffer(b"".join(rows), np.float32).reshape(len(numbers), n, width)
        shared, others, bits = _columns_of_titles(width)
        if len(shared):
            of_titles |= {
                number: (rows, bits) for number, rows in zip(numbers, values.take(shared, axis=2), strict=True)
            }
        matrices.append((numbers, values, values.take(others, axis=2)))
    if titles is not None:
        for number, (columns_of, bits) in sorted(of_titles.items()):  # in the order of the lists, as one by one
            one = impressions[number]
            if titles.put(one.model_version, [item.anime_id for item in one.items], columns_of):
                found[number].shared = bits
    for numbers, values, others_of in matrices:
        for is_shared, chosen in ((False, values), (True, others_of)):
            places = [at for at, number in enumerate(numbers) if bool(found[number].shared) == is_shared]
            if places:
                encoded = feature_codec.encode_many(chosen if len(places) == len(numbers) else chosen[places])
                for at, columns in zip(places, encoded, strict=True):
                    found[numbers[at]].columns = columns


def _packed(items: _Items) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=_DICTIONARY)
    return packer.compress(_PACK.encode(items)) + packer.flush()


def _shown(record: _Record, titles: Titles | None) -> tuple[ShownItem, ...]:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_DICTIONARY)
    one = _UNPACK_ITEMS.decode(unpacker.decompress(record.items) + unpacker.flush())
    ids = one.anime_ids if isinstance(one.anime_ids, list) else from_planes(one.anime_ids, np.uint32).tolist()
    scores = one.scores if isinstance(one.scores, list) else from_planes(one.scores, np.float32).tolist()
    first = one.positions
    positions = first if isinstance(first, list) else list(range(first, first + one.n))
    features_of = _features(one, record.model_version, ids, titles)
    propensities = one.propensities or [1.0] * one.n
    items = zip(ids, positions, scores, _channels(one), features_of, propensities, strict=True)
    return tuple(ShownItem(*item) for item in items)


def _unusual(filters: Filters) -> dict[str, Any]:
    values = msgspec.structs.astuple(filters)
    if values == _DEFAULT_VALUES and tuple(map(type, values)) == _DEFAULT_TYPES:
        return {}
    return {
        name: msgspec.to_builtins(value)
        for name, value, usual, kind in zip(_FILTER_NAMES, values, _DEFAULT_VALUES, _DEFAULT_TYPES, strict=True)
        if value != usual or type(value) is not kind
    }


def _positions(positions: list[int]) -> int | list[int]:
    first = positions[0] if positions else 0
    return first if positions == list(range(first, first + len(positions))) else positions


def _channels(one: _Items) -> list[tuple[str, ...]]:
    if isinstance(one.channels_of, list):
        return [tuple(channels) for channels in one.channels_of]
    return from_bits(one.channels, from_planes(one.channels_of, np.uint32).tolist())


@lru_cache(maxsize=64)
def _columns_of_titles(width: int) -> tuple[NDArray[np.intp], NDArray[np.intp], bytes]:
    """Return the columns that do not depend on the user, the others, and a bit for each column of the first."""
    mask = features.title_columns(width)
    return np.flatnonzero(mask), np.flatnonzero(~mask), np.packbits(mask).tobytes()


def _features(one: _Items, model_version: str, anime_ids: list[int], titles: Titles | None) -> list[bytes]:
    if one.columns is None:
        return one.odd_features or [b""] * one.n
    values = feature_codec.decode(one.columns, one.n)
    if one.shared:
        if titles is None:
            raise ValueError("features of its titles are kept elsewhere")
        known = titles.get(model_version, anime_ids)
        mask = np.unpackbits(np.frombuffer(one.shared, np.uint8), count=values.shape[1] + known.shape[1]) > 0
        whole = np.empty((one.n, len(mask)), np.float32)
        whole[:, mask], whole[:, ~mask] = known, values
        values = whole
    return [row.tobytes() for row in values]


_DEFAULT_VALUES = msgspec.structs.astuple(msgspec.convert(_USUAL_FILTERS, Filters))
_DEFAULT_TYPES = tuple(map(type, _DEFAULT_VALUES))
_FILTER_NAMES = Filters.__struct_fields__
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(_Record)
_UNPACK_ITEMS = msgspec.msgpack.Decoder(_Items)
_OLD = msgspec.msgpack.Decoder(Impression)
