"""Facts about the lists that training rows come from: when each was taken, and whether it is whole.

A title that began after a list was taken, or one that was cut off from it, is not a title the user passed over. The
ranking model must not learn it as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True, eq=False)
class ObservedLists:
    """One entry a user, in the order of the training rows' users."""

    until: NDArray[np.float64]
    """(u,) day the list was taken as a proleptic ordinal, inf = not known."""
    complete: NDArray[np.bool_]
    """(u,) False: the list was cut, so a missing title is no evidence."""

    def select(self, users: NDArray[np.int64]) -> ObservedLists:
        """Return the entries of some users, in the order given."""
        return ObservedLists(self.until[users], self.complete[users])

    def audience(self, released: NDArray[np.float64]) -> NDArray[np.float32]:
        """Count the users whose list was taken after each item began, all where its day is not known. (n,) → (n,)"""
        before = np.searchsorted(np.sort(self.until), np.where(np.isnan(released), -np.inf, released))
        return (len(self.until) - before).astype(np.float32)


def observe(users: Any, user_ids: NDArray[Any]) -> ObservedLists:
    """Read a table ``user_id[, list_date][, truncated]`` for the users of the training rows.

    The list of a user the table does not have counts as whole and of no known date.

    Raises:
        InvalidInputError: there is no column user_id, or a user stands twice.
    """
    n = len(user_ids)
    facts = ObservedLists(np.full(n, np.inf), np.ones(n, np.bool_))
    if users is None:
        return facts
    frame = users if isinstance(users, pl.DataFrame) else pl.DataFrame(users)
    if "user_id" not in frame.columns:
        raise InvalidInputError(
            f"users have no column user_id; there are: {', '.join(frame.columns)}", hint="name the id column user_id"
        )
    labels = frame["user_id"].to_numpy() if user_ids.dtype.kind == "i" else frame["user_id"].cast(pl.String).to_numpy()
    if len(np.unique(labels)) < len(labels):
        raise InvalidInputError("users: a user_id stands more than once", hint="keep one row a user")
    at = np.minimum(np.searchsorted(user_ids, labels), n - 1)
    known = user_ids[at] == labels
    if "list_date" in frame.columns:
        days = frame["list_date"].cast(pl.Date).to_list()
        until = np.array([np.inf if day is None else day.toordinal() for day in days])
        facts.until[at[known]] = until[known]
    if "truncated" in frame.columns:
        facts.complete[at[known]] = ~frame["truncated"].fill_null(value=False).to_numpy()[known]
    return facts
