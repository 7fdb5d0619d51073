"""Recommendations that users of a site wrote on the page of a title ("if you liked this, watch that").

Needs no interactions, so it reaches titles that are younger than every list. A pair counts less the further down it
stands, by the discount of DCG (Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002), and
half as much in the direction in which it was not written.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from gars.domain.anime import Anime
from gars.retrieval.item_to_item import ItemToItem, no_edges

BACKWARD = 0.5
"""Weight of a pair in the other direction."""


def fit(anime: Sequence[Anime]) -> ItemToItem:
    """Weigh the recommendations in a catalogue (n,). Ids that the catalogue does not have are left out."""
    row_of = {one.anime_id: row for row, one in enumerate(anime)}
    n = len(anime)
    pairs = [
        (source, row_of[other], rank)
        for source, one in enumerate(anime)
        for rank, other in enumerate(one.recommended, 1)
        if other in row_of and other != one.anime_id
    ]
    if not pairs:
        return ItemToItem("recommended", no_edges(n))
    source, target, rank = np.array(pairs, np.int64).T
    forward = sp.csr_array(((1 / np.log2(1 + rank)).astype(np.float32), (source, target)), shape=(n, n))
    weights = sp.csr_array(forward.maximum(np.float32(BACKWARD) * forward.T.tocsr()))
    weights.sort_indices()
    return ItemToItem("recommended", weights)
