"""Pools of the best items by sparse channels, for many users in one call.

The score of an item by a channel is a sum over neighbour lists of the user's items, a sum over the lists of similar
users, or the item's popularity. One pass over all items finds the largest score of each channel, a second one the
weighted sums. Both go over a few thousand items at a time, which stay in the first cache; the loops over them have no
branch, so that the compiler handles sixteen values at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled
from gars.kernels.neighbours import CSR, StackedLists, entries_of, stacked_entries

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

SMALLEST_SCALE = np.float32(1e-12)
MAGNITUDE = np.int32(0x7FFFFFFF)
"""The bits of a float32 without its sign: as integers they are in the order of the absolute values."""
WIDTH = 4096
"""Items of a pass at a time."""
LINE = 16
"""Entries of four bytes in a cache line."""
LOWEST = np.finfo(np.float32).min
GROUPS = 2
"""Groups of values whose maxima bound the k-th largest value, for each of the k."""


class Channels(NamedTuple):
    """The sparse channels over n items, fitted on u users: e neighbourhoods, similar users, popularity."""

    neighbours: StackedLists
    of_items: CSR
    """(n, u) the users of each item, weighted for the similarity of users."""
    users: CSR
    """(u, n) the items of each user; only the indices are read."""
    popularity: Floats
    """(n,)"""


class Lists(NamedTuple):
    """Histories of b users, concatenated."""

    starts: Ints
    """(b + 1,)"""
    rows: Ints
    """(t,) items that scores are computed from."""
    weights: Floats
    """(t,)"""
    hidden_starts: Ints
    """(b + 1,)"""
    hidden: Ints
    """(s,) items that may not be in the pool."""


def _pools(
    channels: Channels,
    weights: Floats,
    lists: Lists,
    content: Flags,
    n_similar: int,
    wanted: Ints,
    pools: Ints,
    scores: Floats,
) -> None:
    n, m = len(content), pools.shape[1]
    for one in range(len(pools)):
        own = slice(lists.starts[one], lists.starts[one + 1])
        rows, of_rows = lists.rows[own], lists.weights[own]
        sums = np.zeros((scores.shape[1], n), np.float32)
        _add_neighbours_plain(channels.neighbours, rows, of_rows, sums[:-2])
        _add_similar_users_plain(channels, rows, of_rows, n_similar, sums[-2])
        sums[-1] = channels.popularity
        allowed = content.copy()
        allowed[lists.hidden[lists.hidden_starts[one] : lists.hidden_starts[one + 1]]] = False
        considered = np.flatnonzero(allowed & (sums[:-1] != 0).any(axis=0))
        if len(considered) < m:
            considered = np.flatnonzero(allowed)
        scale = np.maximum(np.abs(sums[:, considered]).max(axis=1, initial=0), SMALLEST_SCALE)
        total = np.zeros(len(considered), np.float32)
        for channel, factor in enumerate(weights[int(not len(rows))] / scale):
            total += sums[channel, considered] * factor
        best = np.sort(considered[np.lexsort((considered, -total))[:m]])
        pools[one], scores[one] = -1, 0
        pools[one, : len(best)] = best
        scores[one, :, : len(best)] = sums[:, best] / scale[:, None]
        scores[one, :, m:] = sums[:, wanted] / scale[:, None]


def _add_neighbours_plain(neighbours: StackedLists, rows: Ints, weights: Floats, out: Floats) -> None:
    entry, source, channel = stacked_entries(neighbours, rows)
    np.add.at(out, (channel, neighbours.indices[entry]), neighbours.data[entry] * weights[source])


def _add_similar_users_plain(channels: Channels, rows: Ints, weights: Floats, k: int, out: Floats) -> None:
    items, users = channels.of_items, channels.users
    entry, source = entries_of(items, rows)
    terms = weights[source] * items.data[entry]
    entry, terms = entry[terms > 0], terms[terms > 0]
    similarity = np.zeros(len(users.indptr) - 1, np.float32)
    np.add.at(similarity, items.indices[entry], terms)
    found, first = np.unique(items.indices[entry], return_index=True)
    found = found[np.argsort(first)]
    if len(found) > k:
        threshold = np.partition(similarity[found], len(found) - k)[len(found) - k]
        found = found[similarity[found] >= threshold]
    entry, source = entries_of(users, found.astype(np.int64))
    np.add.at(out, users.indices[entry], (similarity[found] * similarity[found])[source])


@compiled(plain=_pools)
def choose_pools(
    channels: Channels,
    weights: Floats,
    lists: Lists,
    content: Flags,
    n_similar: int,
    wanted: Ints,
    pools: Ints,
    scores: Floats,
) -> None:
    """Write the pool of each of b users to ``pools`` (b, m), ascending, -1 pads, and its scaled scores.

    The pool are the items allowed by ``content`` (n,) and not hidden of largest ``Σ_c weights[c] · score[c] /
    scale[c]`` over the c = e + 2 channels; ties go to the lower item. Row 0 of ``weights`` (2, c) is for users with a
    history, row 1 for users without one. Items that popularity alone scores are considered where there are fewer than
    m others. ``scale`` is the largest absolute score of the channel among the items considered, at least
    ``SMALLEST_SCALE``.

    ``scores`` (b, c, m + w) are the scaled scores of the pool, 0 at pads, and then of the ``wanted`` items (w,).
    """
    b, m = pools.shape
    n, n_users, c = len(content), len(channels.users.indptr) - 1, scores.shape[1]
    sums, scale = np.zeros((c, n), np.float32), np.ones(c, np.float32)
    sums[c - 1] = channels.popularity
    by_neighbours = sums[: c - 2]
    similarity, found = np.zeros(n_users, np.float32), np.empty(n_users + 1, np.int32)
    allowed, considered, total = content.copy(), np.empty(n, np.int32), np.empty(n, np.float32)
    few, places = np.empty(max(n, n_users) + 1, np.float32), np.empty(n, np.int64)
    flags = np.zeros((n + 7) // 8 * 8, np.bool_)
    for one in range(b):
        start, end = lists.starts[one], lists.starts[one + 1]
        sums[: c - 1] = 0
        _add_neighbours(channels.neighbours, lists, start, end, found, by_neighbours)
        _add_similar_users(channels, lists, start, end, n_similar, similarity, found, few, sums[c - 2])
        for i in range(lists.hidden_starts[one], lists.hidden_starts[one + 1]):
            allowed[lists.hidden[i]] = False
        _scale(sums, allowed, m, considered, scale)
        _weighted_total(sums, weights[int(start == end)], scale, considered, total)
        count = _write_top_k(total, flags, few, places, pools[one])
        for i in range(lists.hidden_starts[one], lists.hidden_starts[one + 1]):
            allowed[lists.hidden[i]] = content[lists.hidden[i]]
        scores[one] = 0
        for i in range(m + len(wanted)):
            if i < count or i >= m:
                item = pools[one, i] if i < m else wanted[i - m]
                for channel in range(c):
                    scores[one, channel, i] = sums[channel, item] / scale[channel]


@Subroutine
def _add_neighbours(
    neighbours: StackedLists, lists: Lists, start: int, end: int, scratch: NDArray[np.int32], out: Floats
) -> None:
    """Add ``Σ_i weights[i] · list[i, c, :]`` over some entries of ``lists`` to ``out`` (e, n).

    ``scratch`` is overwritten.
    """
    starts, indices, e = neighbours.starts, neighbours.indices, len(out)
    bits, unused = neighbours.data.view(np.int32), np.int32(0)
    # reads each cache line first: these reads wait for memory side by side, those between sums would not
    for i in range(start, end):
        for entry in range(starts[lists.rows[i], 0], starts[lists.rows[i], e], LINE):
            unused |= bits[entry] | np.int32(indices[entry])
    scratch[0] = unused
    for i in range(start, end):
        row, weight = lists.rows[i], lists.weights[i]
        for c in range(e):
            sums = out[c]
            for entry in range(starts[row, c], starts[row, c + 1]):
                sums[indices[entry]] += neighbours.data[entry] * weight


@Subroutine
def _add_similar_users(
    channels: Channels,
    lists: Lists,
    start: int,
    end: int,
    k: int,
    similarity: Floats,
    found: NDArray[np.int32],
    values: Floats,
    out: Floats,
) -> None:
    """Add the lists of the k users most similar to some entries of ``lists`` to ``out`` (n,).

    The similarity of user u is ``Σ_i weights[i] · of_items[i, u]`` over positive terms; each of the k most similar
    (more where the last are equal) adds its square to every item of their list. ``similarity`` (u,) is zero before and
    after. ``found`` and ``values`` have room for all users and one more.
    """
    items, users = channels.of_items, channels.users
    count = 0
    for i in range(start, end):
        row, weight = lists.rows[i], lists.weights[i]
        for entry in range(items.indptr[row], items.indptr[row + 1]):
            user, term = items.indices[entry], max(np.float32(0), weight * items.data[entry])
            before = similarity[user]
            similarity[user] = before + term
            found[count] = user  # without a branch, which would be mispredicted half of the time
            count += (before == 0) & (term > 0)
    for i in range(count):
        values[i] = similarity[found[i]]
        similarity[found[i]] = 0
    threshold = np.float32(-np.inf)
    if count > k:
        threshold = _kth_largest(values[:count], k)
    kept = 0
    for i in range(count):
        found[kept], values[kept] = found[i], values[i]
        kept += values[i] >= threshold
    unused = np.int32(0)  # see ``_add_neighbours``
    for i in range(kept):
        for entry in range(users.indptr[found[i]], users.indptr[found[i] + 1], LINE):
            unused |= np.int32(users.indices[entry])
    found[kept] = unused
    for i in range(kept):
        squared = values[i] * values[i]
        for entry in range(users.indptr[found[i]], users.indptr[found[i] + 1]):
            out[users.indices[entry]] += squared


@Subroutine
def _kth_largest(values: Floats, k: int) -> np.float32:
    """Return the k-th largest value, k from 1 to their number, by bisection; none is -0.

    The bits of floats, with those of negative ones inverted, are integers in the same order. A count of those above a
    threshold handles many at a time, where a selection would mispredict every other comparison.
    """
    bits, keys = values.view(np.int32), np.empty(len(values), np.int32)
    for i in range(len(keys)):
        keys[i] = bits[i] ^ ((bits[i] >> np.int32(31)) & MAGNITUDE)
    low = high = np.int64(keys[0])
    for i in range(len(keys)):
        low, high = min(low, np.int64(keys[i])), max(high, np.int64(keys[i]))
    while low < high:
        middle = low + (high - low + 1) // 2
        threshold, count = np.int32(middle), np.int32(0)
        for i in range(len(keys)):
            count = np.int32(count + np.int32(keys[i] >= threshold))
        if count >= k:
            low = middle
        else:
            high = middle - 1
    keys[0] = np.int32(low)
    keys[0] ^= (keys[0] >> np.int32(31)) & MAGNITUDE
    found: np.float32 = keys.view(np.float32)[0]
    return found


@Subroutine
def _scale(sums: Floats, allowed: Flags, m: int, considered: NDArray[np.int32], scale: Floats) -> None:
    """Mark the items considered (n,) with -1, others with 0, and write the largest score of each channel to ``scale``.

    Considered are allowed items with any score but popularity, or all allowed ones if those are fewer than m.
    """
    c, n = sums.shape
    bits, largest = sums.view(np.int32), np.zeros(c, np.int32)
    for scored_only in (True, False):
        count = np.int32(0)
        largest[:] = 0
        for start in range(0, n, WIDTH):
            here, may = considered[start : start + WIDTH], allowed[start : start + WIDTH]
            if scored_only:
                for j in range(len(here)):
                    here[j] = 0
                for channel in range(c - 1):
                    one = bits[channel, start : start + WIDTH]
                    for j in range(len(here)):
                        here[j] |= one[j] & MAGNITUDE
                for j in range(len(here)):
                    here[j] = -np.int32((here[j] != 0) & may[j])
            else:
                for j in range(len(here)):
                    here[j] = -np.int32(may[j])
            for j in range(len(here)):
                count = np.int32(count - here[j])
            for channel in range(c):
                one, top = bits[channel, start : start + WIDTH], largest[channel]
                # as integers, since the largest of floats is not found for several values at a time
                for j in range(len(here)):
                    top = max(top, np.int32(one[j] & here[j] & MAGNITUDE))
                largest[channel] = top
        if count >= m:
            break
    as_floats = largest.view(np.float32)
    for channel in range(c):
        scale[channel] = max(as_floats[channel], SMALLEST_SCALE)


@Subroutine
def _weighted_total(sums: Floats, weights: Floats, scale: Floats, considered: NDArray[np.int32], total: Floats) -> None:
    """Write ``Σ_c weights[c] · sums[c] / scale[c]`` of the items considered to ``total`` (n,), -∞ for others."""
    c, n = sums.shape
    for start in range(0, n, WIDTH):
        here, out = considered[start : start + WIDTH], total[start : start + WIDTH]
        for j in range(len(out)):
            out[j] = 0
        for channel in range(c):
            one, factor = sums[channel, start : start + WIDTH], np.float32(weights[channel] / scale[channel])
            for j in range(len(out)):
                out[j] += np.float32(one[j] * factor)
        for j in range(len(out)):
            out[j] = out[j] if here[j] else np.float32(-np.inf)


@Subroutine
def _write_top_k(values: Floats, flags: Flags, few: Floats, places: Ints, positions: Ints) -> int:
    """Write the positions of the k largest values above -∞ to ``positions`` (k,), ascending, -1 pads.

    Returns their number. Ties go to the lower position. The values are dealt into ``GROUPS`` · k groups: the k-th
    largest maximum of a group is at most the k-th largest value, and few values are above it. ``few`` and ``places``
    have room for all values. The number of ``flags`` is a multiple of eight, and those beyond the values are not set.
    """
    n, k = len(values), len(positions)
    positions[:] = -1
    if k == 0 or n == 0:
        return 0
    n_groups = min(n, GROUPS * k)
    largest = np.full(n_groups, -np.inf, np.float32)
    for start in range(0, n, n_groups):
        here = values[start : start + n_groups]
        for i in range(len(here)):
            largest[i] = here[i] if here[i] > largest[i] else largest[i]
    threshold = LOWEST
    if n_groups > k:
        threshold = max(threshold, _kth_largest(largest, k))
    for i in range(n):
        flags[i] = values[i] >= threshold
    eight, count = flags.view(np.uint64), 0  # most groups have none
    for group in range(len(eight)):
        if eight[group]:
            for i in range(8 * group, 8 * group + 8):
                if flags[i]:
                    few[count], places[count] = values[i], i
                    count += 1
    if count <= k:
        positions[:count] = places[:count]
        return count
    threshold = _kth_largest(few[:count], k)
    equal = k
    for i in range(count):
        equal -= few[i] > threshold
    found = 0
    for i in range(count):
        if few[i] > threshold or (few[i] == threshold and equal > 0):
            equal -= few[i] == threshold
            positions[found] = places[i]
            found += 1
    return found
