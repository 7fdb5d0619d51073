"""Which anime belong together: connected components over relations that mean "the same story"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def collapse(ordered: NDArray[np.int64], franchises: NDArray[np.int32], per_franchise: int = 1) -> NDArray[np.bool_]:
    """Which places of a ranked list to keep so that no franchise appears more than ``per_franchise`` times.

    ``ordered`` (k,) are rows of the item table, best first; ``franchises`` (n,) their codes → mask (k,).
    """
    codes = franchises[ordered]
    by_code = np.argsort(codes, kind="stable")
    sorted_codes = codes[by_code]
    starts = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]]) if len(codes) else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, len(codes)])
    occurrence = np.empty(len(codes), np.int64)
    occurrence[by_code] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return occurrence < per_franchise
