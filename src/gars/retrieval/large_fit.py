"""Fit stage one over a large catalogue; settings and weights come from entries held out of the same lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.item_table import ItemTable
from gars.domain.normalise import unit_rows
from gars.retrieval import fusion_weights, local_edlae, popularity, spectral, two_steps
from gars.retrieval.fusion_weights import CUT, Metrics, UserMetrics
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.large import LargeRetriever
from gars.retrieval.large_config import LargeConfig
from gars.retrieval.local_edlae import EdlaeConfig
from gars.retrieval.spectral import Spectral
from gars.runtime.progress import Progress

Floats = NDArray[np.float32]

HIDDEN_SHARE = 0.2
MIN_ENTRIES = 5
"""Only lists of so many entries are held out from."""
_MEASURED_ALONE = 800
"""Users on whom one channel's settings are compared."""
_CASE_POOL = 500
"""Candidates of each user on which weights are learned."""
_BLOCK = 200


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Lists of which some entries are hidden."""

    shown: sp.csr_array
    """(users, items) all lists without the hidden entries."""
    users: NDArray[np.int64]
    """(v,) rows of the users of whom entries are hidden, ascending."""
    hidden: sp.csr_array
    """(v, items) the hidden entries."""


@dataclass(frozen=True, slots=True, eq=False)
class LargeFit:
    """The retriever fitted on all entries, and what was measured on held-out ones."""

    retriever: LargeRetriever
    config: LargeConfig
    """With the settings and weights that were chosen."""
    measured: dict[str, float]
    """Recall and NDCG at ``CUT`` on held-out entries, of each channel alone and fused."""


def fit(
    matrix: sp.csr_array,
    items: ItemTable,
    content: ItemToItem,
    *,
    config: LargeConfig,
    seed: int,
    progress: Progress,
) -> LargeFit:
    """Fit on (users, items) weights. ``items`` must carry the statistics of the same rows."""
    measured: dict[str, float] = {}
    if config.trials or not config.weights:
        held = hold_out(matrix, config.validation_users, np.random.default_rng([seed, 11]))
        config, parts = _choose(held, config, seed, progress, measured)
        if not config.weights:
            known = _assemble(parts, held.shown, items, content, config)
            weights = learn(known, held, progress, measured)
            config = msgspec.structs.replace(config, weights=weights)
    retriever = _assemble(_parts(matrix, config, seed, progress), matrix, items, content, config)
    return LargeFit(retriever, config, measured)


def hold_out(matrix: sp.csr_array, at_most: int, rng: np.random.Generator) -> HeldOut:
    """Hide a share of the entries of some users with enough of them."""
    lengths = np.diff(matrix.indptr)
    users = rng.permutation(np.flatnonzero(lengths >= MIN_ENTRIES))[:at_most]
    users.sort()
    hidden = np.zeros(matrix.nnz, np.bool_)
    for user in users:
        start, length = int(matrix.indptr[user]), int(lengths[user])
        hidden[start + rng.permutation(length)[: max(1, round(HIDDEN_SHARE * length))]] = True
    return HeldOut(_entries(matrix, ~hidden), users, _entries(matrix, hidden)[users])


def _entries(matrix: sp.csr_array, kept: NDArray[np.bool_]) -> sp.csr_array:
    before = np.concatenate([[0], np.cumsum(kept)])
    return sp.csr_array(
        (matrix.data[kept], matrix.indices[kept], before[matrix.indptr].astype(np.int64)), shape=matrix.shape
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The parts fitted on one matrix."""

    walks: sp.csr_array
    edlae: sp.csr_array
    values: Floats
    vectors: Floats


def _edlae(config: LargeConfig) -> EdlaeConfig:
    return EdlaeConfig(
        neighbours=config.edlae_neighbours,
        l2=config.edlae_l2,
        dropout=config.edlae_dropout,
        user_power=config.edlae_user_power,
        popularity_power=0.0,
    )


def _parts(matrix: sp.csr_array, config: LargeConfig, seed: int, progress: Progress) -> _Parts:
    with progress.task("two-step walks"):
        walks = two_steps.fit(matrix, config.walks, keep=config.walk_neighbours)
    with progress.task("EDLAE of neighbourhoods"):
        linear = local_edlae.fit(matrix, _edlae(config))
    with progress.task("spectral filter"):
        values, vectors = spectral.decompose(matrix, config.rank, seed)
    return _Parts(walks, linear, values, vectors)


def _assemble(
    parts: _Parts, matrix: sp.csr_array, items: ItemTable, content: ItemToItem, config: LargeConfig
) -> LargeRetriever:
    described = (content,) if content.weights.nnz else ()
    return LargeRetriever(
        items=items,
        channels=(ItemToItem("walks", parts.walks), ItemToItem("edlae", parts.edlae), *described),
        spectral=spectral.low_pass(matrix, parts.vectors, power=config.spectral_power),
        lists=matrix,
        popularity=popularity.fit(matrix, items.audience),
        vectors=unit_rows(parts.vectors * parts.values),
        config=config,
    )


def _choose(
    held: HeldOut, config: LargeConfig, seed: int, progress: Progress, measured: dict[str, float]
) -> tuple[LargeConfig, _Parts]:
    """Try settings of each channel alone, one setting at a time, and keep what is better on the held-out entries."""
    some = np.arange(len(held.users))[:: max(1, len(held.users) // _MEASURED_ALONE)]
    shown, hidden = sp.csr_array(held.shown[held.users[some]]), sp.csr_array(held.hidden[some])
    left = config.trials

    def quality_of(score: Callable[[sp.csr_array], Floats]) -> float:
        found = measure_channel(shown, hidden, score)
        return found.recall + found.ndcg

    with progress.task("two-step walks, settings", max(1, left)) as advance:
        places, raw = two_steps.nearest(held.shown, config.walks, config.walk_neighbours)
        fitted = config.walks

        def walks(powers: two_steps.Powers) -> sp.csr_array:
            nonlocal places, raw, fitted
            if (powers.user, powers.target) != (fitted.user, fitted.target):
                places, raw = two_steps.nearest(held.shown, powers, config.walk_neighbours)
                fitted = powers
            degree = np.maximum(1, np.bincount(held.shown.indices, minlength=held.shown.shape[1])).astype(np.float32)
            scaled = raw * (degree ** np.float32(fitted.source - powers.source))[:, None]
            return two_steps.from_places(places, scaled ** np.float32(powers.sharpen))

        def worth(powers: two_steps.Powers) -> float:
            weights = walks(powers)
            return quality_of(lambda lists: (lists @ weights).toarray())

        best = worth(config.walks) if left else 0.0
        for name, step in (("sharpen", 0.3), ("source", 0.2), ("target", 0.15), ("user", 0.3)):
            for direction in (step, -step):
                while left:
                    tried = msgspec.structs.replace(
                        config.walks, **{name: round(getattr(config.walks, name) + direction, 2)}
                    )
                    left -= 1
                    advance(1)
                    found = worth(tried)
                    if found <= best:
                        break
                    best, config = found, msgspec.structs.replace(config, walks=tried)
        chosen = walks(config.walks)
    with progress.task("EDLAE of neighbourhoods"):
        linear = local_edlae.fit(held.shown, _edlae(config))
    with progress.task("spectral filter"):
        values, vectors = spectral.decompose(held.shown, config.rank, seed)
        if config.trials:
            powers = sorted({0.0, 0.15, 0.3, 0.45, config.spectral_power})
            filters = [spectral.low_pass(held.shown, vectors, power=power) for power in powers]
            worths = [quality_of(_filtered(one)) for one in filters]
            config = msgspec.structs.replace(config, spectral_power=powers[int(np.argmax(worths))])
    measured["trials"] = float(config.trials - left)
    return config, _Parts(chosen, linear, values, vectors)


def _filtered(model: Spectral) -> Callable[[sp.csr_array], Floats]:
    return lambda lists: np.asarray((lists @ model.source) @ model.target.T, np.float32)


def measure_channel(shown: sp.csr_array, hidden: sp.csr_array, score: Callable[[sp.csr_array], Floats]) -> Metrics:
    """Recall and NDCG at ``CUT`` of scores over all items without those shown; both matrices are (v, items)."""
    metrics = UserMetrics()
    for start in range(0, shown.shape[0], _BLOCK):
        lists, wanted = sp.csr_array(shown[start : start + _BLOCK]), sp.csr_array(hidden[start : start + _BLOCK])
        scores = score(lists)
        scores[np.repeat(np.arange(len(scores)), np.diff(lists.indptr)), lists.indices] = -np.inf
        best = np.argpartition(-scores, CUT, axis=1)[:, :CUT] if scores.shape[1] > CUT else np.argsort(-scores, axis=1)
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        best = np.take_along_axis(best, order, axis=1)
        for user, row in enumerate(best):
            targets = wanted.indices[wanted.indptr[user] : wanted.indptr[user + 1]]
            metrics.add(np.isin(row, targets), len(targets))
    return metrics.mean()


def learn(retriever: LargeRetriever, held: HeldOut, progress: Progress, measured: dict[str, float]) -> dict[str, float]:
    """Weights of the channels that put hidden entries first, and the metrics that were reached by name."""
    cases = list(held_out_users(retriever, held, progress))
    names = retriever.channel_names
    fit_on, measured_on = cases[::2], cases[1::2]
    weights = fusion_weights.search(fit_on, len(names))
    for place, name in enumerate(names):
        alone = fusion_weights.metrics(measured_on, np.eye(len(names), dtype=np.float32)[place])
        measured |= {f"recall@{CUT} {name}": alone.recall, f"ndcg@{CUT} {name}": alone.ndcg}
    fused = fusion_weights.metrics(measured_on, weights)
    measured |= {f"recall@{CUT} fused": fused.recall, f"ndcg@{CUT} fused": fused.ndcg}
    weights = fusion_weights.search(cases, len(names), start=weights)
    return {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}


def held_out_users(
    retriever: LargeRetriever, held: HeldOut, progress: Progress
) -> Iterator[fusion_weights.HeldOutUser]:
    """Scaled scores of each held-out user's candidates, and whether each was hidden."""
    n = len(retriever.items)
    with progress.task("fusion weights", len(held.users)) as advance:
        for place, user in enumerate(held.users):
            own = slice(*held.shown.indptr[user : user + 2])
            rows, weights = held.shown.indices[own].astype(np.int64), held.shown.data[own]
            allowed = np.ones(n, np.bool_)
            allowed[rows] = False
            pool, scores = retriever.unweighted_pool(rows, weights, allowed, _CASE_POOL)
            targets = held.hidden.indices[held.hidden.indptr[place] : held.hidden.indptr[place + 1]]
            yield fusion_weights.HeldOutUser(scores, np.isin(pool, targets), len(targets))
            advance(1)
