"""Choose the settings of EDLAE on entries held out of the same lists.

One setting at a time is changed, up and down, and kept where recall plus NDCG of half of the users rise. The other half
decides: the given settings stay unless the chosen ones are better by more than two standard errors of the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.metrics import hits, ndcg_at
from gars.domain.top_k import argsort_descending
from gars.retrieval import edlae
from gars.retrieval.edlae import EdlaeSettings
from gars.retrieval.fusion_weights import CUT
from gars.retrieval.large_fit import hold_out
from gars.runtime.progress import Progress

_MAX_ITEMS = 3_000
"""The search sees the most popular items only: a regression costs items³."""
_FEWEST_USERS = 100
"""With fewer users the differences are noise."""
_ERRORS = 2.0
"""Standard errors by which the chosen settings must be better."""
_BLOCK = 200


def _scaled(name: str, factor: float, settings: EdlaeSettings) -> EdlaeSettings:
    return msgspec.structs.replace(settings, **{name: round(getattr(settings, name) * factor, 2)})


def _moved(name: str, step: float, settings: EdlaeSettings) -> EdlaeSettings:
    moved = min(0.9, max(0.0, round(getattr(settings, name) + step, 2)))
    return msgspec.structs.replace(settings, **{name: moved})


_CHANGES: tuple[Callable[[EdlaeSettings], EdlaeSettings], ...] = (
    *(partial(_scaled, "l2", factor) for factor in (3.0, 1 / 3)),
    *(partial(_moved, name, step) for name in ("popularity_power", "dropout", "user_power") for step in (-0.15, 0.15)),
)
"""Changes of one setting, each repeated while it helps."""


def search(
    lists: sp.csr_array,
    given: EdlaeSettings,
    *,
    trials: int,
    users: int,
    min_count: int,
    seed: int,
    progress: Progress,
) -> tuple[EdlaeSettings, dict[str, float]]:
    """Try settings on (users, items) weights, hiding entries of so many ``users``. Returns the better, and metrics.

    The metrics are recall and NDCG of both on the half of the users that decides; none if there are too few users.
    """
    if not trials or users < _FEWEST_USERS:
        return given, {}
    held = hold_out(lists, users, np.random.default_rng([seed, 13]))
    rows = edlae.head_of(held.shown, min_count, _MAX_ITEMS)
    hidden = sp.csr_array(held.hidden[:, rows])
    some = np.flatnonzero(np.diff(hidden.indptr))
    if len(some) < _FEWEST_USERS or len(rows) <= CUT:
        return given, {}
    head = sp.csr_array(held.shown[:, rows])
    measured_on = _Measured(head, sp.csr_array(head[held.users[some]]), sp.csr_array(hidden[some]))
    before = after = measured_on(given)
    best, left = given, trials
    choosing, deciding = slice(0, None, 2), slice(1, None, 2)
    with progress.task("EDLAE, settings", trials) as advance:
        for change in _CHANGES:
            while left and (tried := change(best)) != best:
                found = measured_on(tried)
                left -= 1
                advance(1)
                if found[:, choosing].sum() <= after[:, choosing].sum():
                    break
                best, after = tried, found
        advance(left)
    gain = (after - before)[:, deciding].sum(axis=0)
    measured = {"search trials": float(trials - left)}
    for label, values in (("given", before), ("tried", after)):
        recall, ndcg = values[:, deciding].mean(axis=1)
        measured |= {f"recall@{CUT} {label} edlae": float(recall), f"ndcg@{CUT} {label} edlae": float(ndcg)}
    is_better = gain.mean() > _ERRORS * gain.std() / np.sqrt(len(gain))
    return (best if is_better else given), measured


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Recall and NDCG of each user by settings; → (2, v)."""

    head: sp.csr_array
    """(users, m) all lists without the hidden entries."""
    shown: sp.csr_array
    """(v, m) those of the users measured on."""
    hidden: sp.csr_array
    """(v, m)"""
    _grams: dict[float, NDArray[np.float32]] = field(default_factory=dict)

    def __call__(self, settings: EdlaeSettings) -> NDArray[np.float64]:
        if settings.user_power not in self._grams:
            self._grams.clear()
            self._grams[settings.user_power] = edlae.gram_of(self.head, settings.user_power)
        weights = edlae.regress(self._grams[settings.user_power].copy(), self.head, settings)
        lists: list[NDArray[np.int64]] = []
        for start in range(0, self.shown.shape[0], _BLOCK):
            some = sp.csr_array(self.shown[start : start + _BLOCK])
            scores = np.asarray(some @ weights, np.float32)
            scores[some.nonzero()] = -np.inf
            lists.append(argsort_descending(scores)[:, :CUT])
        items = self.hidden.indices.astype(np.int64)
        targets = [items[a:b] for a, b in zip(self.hidden.indptr, self.hidden.indptr[1:], strict=False)]
        counts = np.diff(self.hidden.indptr).astype(np.int64)
        hit = hits(np.vstack(lists), targets)
        return np.stack([hit.sum(axis=1) / counts, ndcg_at(hit, counts, CUT)])
