"""Character n-grams of many names, and the inverted index over them (Zobel & Moffat, "Inverted files for text search
engines", 2006).

A posting is a bigram or trigram and the row of a name it is in, as one number: ``gram << row_bits | row``. A gram is
the codes of its letters, ``bits`` each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Ints = NDArray[np.int64]


def _write_postings(letters: NDArray[np.int32], starts: Ints, bits: int, row_bits: int, out: Ints) -> int:
    codes = letters.astype(np.int64)
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    two = (codes[:-1] << bits) | codes[1:]
    three = (two[:-1] << bits) | codes[2:]
    within_two, within_three = rows[:-1] == rows[1:], rows[:-2] == rows[2:]
    bigrams = (two[within_two] << row_bits) | rows[:-1][within_two]
    trigrams = (three[within_three] << row_bits) | rows[:-2][within_three]
    n = len(bigrams) + len(trigrams)
    out[:n] = np.concatenate([bigrams, trigrams])
    return n


@compiled(plain=_write_postings)
def write_postings(letters: NDArray[np.int32], starts: Ints, bits: int, row_bits: int, out: Ints) -> int:
    """Write a posting for each bigram of r names, then for each trigram, to ``out`` (≥ 2t,). → how many

    ``letters`` (t,) are the codes of the names, one after the other, ``starts`` (r + 1,) where each begins.
    """
    n = 0
    for size in (2, 3):
        for row in range(len(starts) - 1):
            for at in range(starts[row], starts[row + 1] - size + 1):
                gram = (np.int64(letters[at]) << bits) | np.int64(letters[at + 1])
                if size == 3:
                    gram = (gram << bits) | np.int64(letters[at + 2])
                out[n] = (gram << row_bits) | row
                n += 1
    return n


def _write_index(
    postings: Ints, row_bits: int, grams: Ints, starts: Ints, rows: NDArray[np.int32], counts: Ints
) -> tuple[int, int]:
    unique = postings[np.diff(postings, prepend=-1) != 0]
    found = unique >> row_bits
    begins = np.flatnonzero(np.diff(found, prepend=-1))
    grams[: len(begins)], starts[: len(begins)], starts[len(begins)] = found[begins], begins, len(unique)
    rows[: len(unique)] = unique & ((1 << row_bits) - 1)
    counts[:] = np.bincount(rows[: len(unique)], minlength=len(counts))
    return len(begins), len(unique)


@compiled(plain=_write_index)
def write_index(
    postings: Ints, row_bits: int, grams: Ints, starts: Ints, rows: NDArray[np.int32], counts: Ints
) -> tuple[int, int]:
    """Write the inverted index of ascending postings (p,). → numbers of grams g and of entries u

    ``grams`` (≥ g,) ascending, ``starts`` (≥ g + 1,) where the rows of each begin in ``rows`` (≥ u,), and the number of
    grams of each name, ``counts`` (r,). A gram that a name has twice counts once.
    """
    g, u = 0, 0
    counts[:] = 0
    last = np.int64(-1)
    for posting in postings:
        if posting == last:
            continue
        gram, row = posting >> row_bits, posting & ((1 << row_bits) - 1)
        if u == 0 or gram != last >> row_bits:
            grams[g], starts[g] = gram, u
            g += 1
        rows[u] = row
        counts[row] += 1
        u += 1
        last = posting
    starts[g] = u
    return g, u
