"""Quality on the real sample stays inside known bounds: a fall is a bug, and so is a jump (it is usually a leak).

A fast subset on validation users; `gars evaluate` prints the full tables.
"""

from pathlib import Path

import numpy as np
import pytest

from gars.datasets.build import build_sample
from gars.datasets.dataset import Dataset
from gars.datasets.splits import TopNSplit, fixed_topn_split
from gars.domain.candidates import Filters
from gars.domain.top_k import top_k
from gars.evaluation import protocols
from gars.evaluation.scores import score_lists
from gars.library.fit_config import FitConfig
from gars.library.frames import rows_of
from gars.library.recommender import Recommender
from gars.ranking.mlp import RankingConfig
from gars.retrieval import edlae, item_knn, matrix
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.matrix import TrainingMatrix
from gars.retrieval.retriever import RetrievalConfig
from gars.runtime.progress import Silent

pytestmark = pytest.mark.sample


@pytest.fixture(scope="module")
def sample(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build_sample(tmp_path_factory.mktemp("home"), mirror=mirror, progress=Silent())


@pytest.fixture(scope="module")
def split(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> TopNSplit:
    return fixed_topn_split(tmp_path_factory.mktemp("splits"), mirror=mirror, progress=Silent())


@pytest.fixture(scope="module")
def training(sample: Dataset, split: TopNSplit) -> tuple[TrainingMatrix, np.ndarray]:
    rows = rows_of(
        protocols.topn_training(sample.interactions().collect(), split, "A"), sample.catalogue()["anime_id"].to_list()
    )
    fitted = matrix.from_rows(
        rows.user, rows.item, rows.rating, n_users=len(rows.user_ids), n_items=len(rows.item_ids), unrated=1.0
    )
    return fitted, rows.item_ids


def scored(channel: ItemToItem, item_ids: np.ndarray, split: TopNSplit) -> dict[str, float]:
    """Metrics of one channel on the validation users of protocol A."""
    ranked_set = np.isin(item_ids, split.items)
    ranked = np.full((len(split.validation), 100), -1, np.int64)
    for place, user in enumerate(split.validation):
        own = np.searchsorted(item_ids, user.fold_in)
        scores = np.asarray(channel.weights[own].sum(axis=0), np.float32)
        allowed = ranked_set.copy()
        allowed[own] = False
        best = top_k(np.where(allowed, scores, np.float32(-np.inf)), item_ids, 100)
        ranked[place, : len(best)] = item_ids[best]
    lists = score_lists(ranked, [user.targets for user in split.validation], len(split.items))
    return {name: float(values.mean()) for name, values in lists.per_user.items()}


def test_edlae(training: tuple[TrainingMatrix, np.ndarray], split: TopNSplit) -> None:
    found = scored(edlae.fit(training[0].graded()), training[1], split)
    assert 0.43 <= found["recall@20"] <= 0.45
    assert 0.485 <= found["ndcg@100"] <= 0.50


def test_item_knn(training: tuple[TrainingMatrix, np.ndarray], split: TopNSplit) -> None:
    liked = training[0].graded()
    head = training[0].of_items(np.flatnonzero(np.bincount(liked.indices, minlength=len(training[1])) >= 5))
    found = scored(item_knn.fit(head), training[1], split)
    assert 0.37 <= found["recall@20"] <= 0.39
    assert 0.425 <= found["ndcg@100"] <= 0.445


@pytest.mark.slow
def test_served_two_stages(sample: Dataset, split: TopNSplit) -> None:
    """A small model, ranked as it serves: above both single models, and not so far above that rows must have leaked."""
    config = FitConfig(
        retrieval=RetrievalConfig(walks_per_node=2, epochs=1, dim=64, ials_dim=64),
        ranking=RankingConfig(epochs=3),
        max_users=4_000, folds=2, repeats=1, short_lists=0.0, max_ranking_users=600, fusion_users=0, compare_users=0,
    )  # fmt: skip
    rows = protocols.topn_training(sample.interactions().collect(), split, "A")
    model = Recommender.fit(rows, sample.catalogue(), config=config, seed=1, progress=False)
    outside = Filters(exclude_ids=tuple(np.setdiff1d(model.item_ids, split.items).tolist()))
    ranked = model.recommend_batch(
        [[(int(item), None) for item in user.fold_in] for user in split.validation], filters=outside
    )

    lists = score_lists(ranked, [user.targets for user in split.validation], len(split.items))
    found = {name: float(values.mean()) for name, values in lists.per_user.items()}
    assert 0.44 <= found["recall@20"] <= 0.48
    assert 0.495 <= found["ndcg@100"] <= 0.53
