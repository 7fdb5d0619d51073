"""The ranker's order against that of stage one, on lists of users that neither was trained on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gars.domain.metrics import ndcg_at
from gars.domain.top_k import argsort_descending
from gars.ranking.examples import RankingList
from gars.ranking.network import Network

CUT = 20
FUSED, RANKED, COMPARED = f"ndcg@{CUT} fused order", f"ndcg@{CUT} ranked order", "lists compared"
"""Names of what is measured."""


def compare(network: Network, lists: Iterable[RankingList]) -> dict[str, float]:
    """Mean NDCG of both orders over lists with a hidden liked item among the candidates; empty without such a list.

    The candidates of a list come in the order of stage one. Hidden items that were no candidates count for neither.
    """
    fused, ranked = [], []
    for one in lists:
        asked = np.flatnonzero(one.order >= 0)
        hit = one.order[asked] > 0
        if hit.any():
            scores = network.order_scores(one.features[asked], one.rows[asked], one.taste)
            both = np.zeros((2, max(CUT, len(hit))), np.bool_)
            both[0, : len(hit)], both[1, : len(hit)] = hit, hit[argsort_descending(scores)]
            first, second = ndcg_at(both, np.full(2, hit.sum()), CUT).tolist()
            fused.append(first)
            ranked.append(second)
    if not fused:
        return {}
    return {FUSED: float(np.mean(fused)), RANKED: float(np.mean(ranked)), COMPARED: float(len(fused))}
