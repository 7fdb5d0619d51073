"""Input of every feature: one user, their taste in summary, and the candidates to be ranked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.taste import Prior, Taste
from gars.domain.item_table import ItemTable
from gars.kernels.item_features import Records

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A user and m candidates."""

    items: ItemTable
    prior: Prior
    records: Records
    """``features.item.records_of`` these items."""
    taste: Taste
    candidates: NDArray[np.int64]
    """(m,) rows of the item table."""
    channel_scores: Floats
    """(m, c) standardised score of each retrieval channel."""
    strongest: Floats
    """(m, e) largest term of each neighbourhood channel's sum."""
    supporters: Floats
    """(m, e) terms of each neighbourhood channel's sum."""
    evidence: NDArray[np.float64]
    """(4, m) over the user's rated titles: sum of co-watch weights, the same weighted by liking above the user's like
    rate and by rating above their mean; largest weight."""
    gaussian_process: Floats
    """(m, 11) the columns of ``features.gaussian_process``; zeros where the data have no ratings."""


def known_or(values: Floats, default: float) -> Floats:
    """Replace what is not known (NaN)."""
    return np.where(np.isnan(values), np.float32(default), values)
