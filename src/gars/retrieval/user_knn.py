"""User-kNN: items on the lists of the most similar users.

Herlocker et al., "An Algorithmic Framework for Performing Collaborative Filtering", SIGIR 1999, with the similarity
taken between iALS factors: a neighbour need not share a title. Weak alone, but it sees combinations of titles that no
sum over single titles does. Its neighbours are drawn from at most ``MAX_USERS`` users, so that a request costs the same
however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.normalise import unit_rows
from gars.kernels.neighbours import CSR
from gars.kernels.quantised import quantise
from gars.kernels.similar_users import SimilarUsers
from gars.retrieval.compact import compact, unsigned

Floats = NDArray[np.float32]

MAX_USERS = 20_000
NEIGHBOURS = 150
SQUARED = 2
"""A neighbour's list counts by similarity squared so many times."""


@dataclass(frozen=True, slots=True, eq=False)
class UserKnn:
    """The users to be found, and their lists."""

    users: Floats
    """(u, d) unit factors."""
    lists: sp.csr_array
    """(u, n) weights."""
    known: SimilarUsers = field(init=False)
    """Both as kernels read them."""

    def __post_init__(self) -> None:
        lists = compact(self.lists)
        users = np.ascontiguousarray(self.users)
        rows = CSR(lists.indptr, unsigned(lists.indices, lists.shape[1]), lists.data)
        known = SimilarUsers(quantise(users), users, rows, np.arange(len(users), dtype=np.int32))
        object.__setattr__(self, "lists", lists)
        object.__setattr__(self, "users", users)
        object.__setattr__(self, "known", known)


def fit(matrix: sp.csr_array, users: Floats, rng: np.random.Generator) -> UserKnn:
    """Keep the lists (u, n) and factors (u, d) of at most ``MAX_USERS`` users."""
    kept = np.arange(len(users))
    if len(users) > MAX_USERS:
        kept = np.sort(rng.choice(len(users), MAX_USERS, replace=False))
    return UserKnn(unit_rows(users[kept]), sp.csr_array(matrix[kept]))
