"""Stage one in one compiled call: score all items by every channel, and unite the best of each.

The call releases the interpreter's lock from its beginning to its end, so other threads read and answer requests.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, composed
from gars.kernels.moments import moments
from gars.kernels.neighbours import StackedLists, sum_by_channel
from gars.kernels.proposals import ScoredItems, fuse_proposals
from gars.kernels.quantised import Products, multiply, product_moments
from gars.kernels.similar_users import SimilarUsers, add_nearest
from gars.kernels.top_k import first_allowed, select_top_k

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Rows = NDArray[np.int32]


class FittedChannels(NamedTuple):
    """The c = e + 3 channels over n items: e neighbourhoods, a factorisation, similar users, popularity."""

    lists: StackedLists
    products: Products
    users: SimilarUsers
    n_similar: int
    squared: int
    """See ``add_nearest``."""
    by_popularity: Rows
    """(n,) all items, the most popular first."""
    popularity_moments: Floats
    """(2,) mean and standard deviation of the popularity."""


class Query(NamedTuple):
    """Titles, factors and session of a user."""

    rows: Ints
    """(h,) the titles."""
    weights: Floats
    """(h,)"""
    factors: Floats
    """(d,) the user's, folded in from the titles."""
    session: Floats
    """(n,) nearness of each item to the latest clicks; (0,) without clicks."""
    near: Rows
    """(s,) the allowed items that the session may propose."""


class Proposals(NamedTuple):
    """Output of ``propose``; there is room for all positions, of which the first m are used."""

    positions: Ints
    """(c + 1, k) the best items of each channel and of the session, -1 pads."""
    items: Ints
    fused: Floats
    standard: Floats
    """c × m standard scores."""
    proposed: Flags
    """(c + 1) × m flags of which rows of the positions each item is in."""


@Subroutine
def _score(fitted: FittedChannels, query: Query, wanted: Rows, scored: ScoredItems) -> None:
    """Write the scores of all items by every channel, with mean and deviation of each."""
    e = fitted.lists.starts.shape[1] - 1
    scores, mean, deviation = scored.scores, scored.mean, scored.deviation
    repeated = np.repeat(query.weights, e).reshape(len(query.weights), e)
    sum_by_channel(fitted.lists, query.rows, repeated, scores[:e])
    scores[e + 1] = 0
    mean[e + 2], deviation[e + 2] = fitted.popularity_moments[0], fitted.popularity_moments[1]
    if len(query.rows):
        rounded = np.empty_like(query.factors)
        multiply(fitted.products.rows, fitted.products.place, wanted, query.factors, rounded, scores[e])
        product_moments(fitted.products, rounded, mean[e : e + 1], deviation[e : e + 1])
        add_nearest(fitted.users, query.factors, fitted.n_similar, fitted.squared, scores[e + 1])
    else:
        scores[e], mean[e], deviation[e] = 0, 0, 1
    scored_whole = np.arange(e + 1)  # all but the factors, whose scores are of wanted items alone, and popularity
    scored_whole[e] = e + 1
    moments(scores, scored_whole, mean, deviation)


@composed
def propose(
    fitted: FittedChannels,
    query: Query,
    wanted: Rows,
    own: Rows,
    allowed: Flags,
    per_channel: int,
    per_session: int,
    weights: Floats,
    scored: ScoredItems,
    found: Proposals,
) -> int:
    """Write the union of each channel's best allowed items, in the order of ``(-fused, item)``; return their number m.

    ``own`` (a,) are the rows of the ``allowed`` items (n,). A fused score is the sum over the c channels of ``weights``
    × standard score. All scores are written too, with mean and deviation of each channel; those by the factors for the
    ``wanted`` items (w,) alone.
    """
    _score(fitted, query, wanted, scored)
    c = len(weights)
    select_top_k(scored.scores, own, found.positions[: c - 1, :per_channel])
    first_allowed(fitted.by_popularity, allowed, found.positions[c - 1, :per_channel])
    session = query.session.reshape(1, len(query.session))
    select_top_k(session, query.near, found.positions[c:, :per_session])
    return fuse_proposals(scored, weights, found.positions, found.items, found.fused, found.standard, found.proposed)
