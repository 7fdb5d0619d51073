"""Who says most: what each of a user's titles has in what is said of others, and the few that have most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_NOTHING = np.float32(1e-9)


def _weigh(parts: Floats, strengths: Floats, weights: Floats, out: Floats) -> None:
    parts *= strengths
    spread = np.abs(parts).cumsum(axis=2)[:, :, -1:]  # one after the other, as the loops add
    parts *= weights[:, None, None] / np.where(spread > 0, spread, np.float32(1))
    for part in parts:
        out += part


@compiled(plain=_weigh)
def weigh(parts: Floats, strengths: Floats, weights: Floats, out: Floats) -> None:
    """Add to ``out`` (m, h) what each of h > 0 titles has of all that s channels say of m items.

    ``parts`` (s, m, h) are used up. In each channel the title's share counts, the channels by ``weights`` (s,).
    """
    s, m, h = parts.shape
    for channel in range(s):
        for i in range(m):
            spread = np.float32(0)
            for j in range(h):
                parts[channel, i, j] *= strengths[j]
                spread += np.abs(parts[channel, i, j])
            factor = weights[channel] / (spread if spread > 0 else np.float32(1))
            for j in range(h):
                parts[channel, i, j] *= factor
                out[i, j] += parts[channel, i, j]


def _loudest(said: Floats, least: np.float32, places: Ints, shares: Floats) -> None:
    total = np.abs(said).cumsum(axis=1)[:, -1:]
    share = said / np.maximum(total, _NOTHING)
    share[(share < 0) & (share > -least)] = 0
    each = np.arange(len(said))[:, None]
    found = np.argsort(-np.abs(share), axis=1, kind="stable")[:, : places.shape[1]]
    found = found[each, np.argsort(-share[each, found], axis=1, kind="stable")]
    kept = share[each, found] != 0
    for row, (some, which) in enumerate(zip(kept, found, strict=True)):
        places[row, : some.sum()] = which[some]
        shares[row, : some.sum()] = share[row, which[some]]


@compiled(plain=_loudest)
def loudest(said: Floats, least: np.float32, places: Ints, shares: Floats) -> None:
    """Of what h > 0 titles say of m others (m, h), the loudest and their share (-1 to 1) of all that was said.

    What speaks for the item comes first; what speaks against it counts from a share of ``least`` on. Written to
    ``places`` and ``shares`` (m, most), which must be -1 and 0: so they stay where there are fewer.
    """
    m, h = said.shape
    most = places.shape[1]
    share = np.empty(h, np.float32)
    for i in range(m):
        total = np.float32(0)
        for j in range(h):
            total += np.abs(said[i, j])
        total = max(total, _NOTHING)
        for j in range(h):
            value = said[i, j] / total
            share[j] = np.float32(0) if value < 0 and value > -least else value
        found = 0
        while found < min(most, h):
            best, loud = 0, np.float32(0)
            for j in range(h):
                if np.abs(share[j]) > loud:
                    best, loud = j, np.abs(share[j])
            if loud == 0:
                break
            value = share[best]
            share[best] = 0
            place = found  # those that say as much stay in front
            while place > 0 and shares[i, place - 1] < value:
                shares[i, place], places[i, place] = shares[i, place - 1], places[i, place - 1]
                place -= 1
            shares[i, place], places[i, place] = value, best
            found += 1
