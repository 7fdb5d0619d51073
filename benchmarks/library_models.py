"""Models of other libraries, each fitted and asked for 100 items a user in an environment of its own.

``libraries.py`` runs this file with the interpreter of each library's environment; it imports numpy, scipy and that
library only. A recipe is the code that a user of the library has to write: it yields once when the model is fitted,
then the items (w, 100) of the wanted users, best first, without those of training. Settings are the library's defaults,
or those named in its documentation or in the usual benchmarks; nothing is tuned on test rows.
"""

from __future__ import annotations

import inspect
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

LENGTH = 100
Ids = NDArray[np.int64]


class Split(NamedTuple):
    """Training pairs (t,) by position of user and item, and the users (w,) who get lists."""

    user: Ids
    item: Ids
    n_users: int
    n_items: int
    wanted: Ids

    def matrix(self) -> sp.csr_matrix:
        """The pairs as (users, items) of ones."""
        ones = np.ones(len(self.user), np.float32)
        return sp.csr_matrix((ones, (self.user, self.item)), (self.n_users, self.n_items))


Recipe = Callable[[Split], Iterator[Ids | None]]


def gars(split: Split) -> Iterator[Ids | None]:
    import polars as pl

    from gars import Recommender

    table = pl.DataFrame({"user_id": split.user, "item_id": split.item})
    fitted = Recommender.fit(table, progress=False)
    yield None
    yield np.vstack([ids for _, ids in fitted.recommend_users(split.wanted.tolist(), LENGTH)])


def implicit_als(split: Split) -> Iterator[Ids | None]:
    from implicit.als import AlternatingLeastSquares

    lists = split.matrix()
    model = AlternatingLeastSquares(factors=200, alpha=10.0, regularization=1.0, random_state=0)
    model.fit(lists, show_progress=False)
    yield None
    yield model.recommend(split.wanted, lists[split.wanted], N=LENGTH)[0]


def implicit_bm25(split: Split) -> Iterator[Ids | None]:
    from implicit.nearest_neighbours import BM25Recommender

    lists = split.matrix()
    model = BM25Recommender(K=200, B=0.2)
    model.fit(lists, show_progress=False)
    yield None
    yield model.recommend(split.wanted, lists[split.wanted], N=LENGTH)[0]


def rectools_svd(split: Split) -> Iterator[Ids | None]:
    import pandas as pd
    from rectools.dataset import Dataset
    from rectools.models import PureSVDModel

    table = pd.DataFrame({"user_id": split.user, "item_id": split.item, "weight": 1.0, "datetime": "2020-01-01"})
    data = Dataset.construct(table)
    model = PureSVDModel(factors=256, recommend_n_threads=2)  # its random_state fails with scipy's present API
    model.fit(data)
    yield None
    found = model.recommend(split.wanted, data, k=LENGTH, filter_viewed=True)
    yield found["item_id"].to_numpy().reshape(-1, LENGTH)


def rectools_ease(split: Split) -> Iterator[Ids | None]:
    import pandas as pd
    from rectools.dataset import Dataset
    from rectools.models import EASEModel

    table = pd.DataFrame({"user_id": split.user, "item_id": split.item, "weight": 1.0, "datetime": "2020-01-01"})
    data = Dataset.construct(table)
    model = EASEModel(regularization=500.0)
    model.fit(data)
    yield None
    found = model.recommend(split.wanted, data, k=LENGTH, filter_viewed=True)
    yield found["item_id"].to_numpy().reshape(-1, LENGTH)


def lenskit_knn(split: Split) -> Iterator[Ids | None]:
    import pandas as pd
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.knn import ItemKNNScorer
    from lenskit.pipeline import topn_pipeline

    data = from_interactions_df(pd.DataFrame({"user_id": split.user, "item_id": split.item}))
    pipe = topn_pipeline(ItemKNNScorer(max_nbrs=20, save_nbrs=200, feedback="implicit"), n=LENGTH)
    pipe.train(data)
    yield None
    found = recommend(pipe, split.wanted.tolist(), n=LENGTH, n_jobs=1)
    yield _padded([found.lookup(user_id=user).ids() for user in split.wanted.tolist()])


def lenskit_als(split: Split) -> Iterator[Ids | None]:
    import pandas as pd
    from lenskit.als import ImplicitMFScorer
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.pipeline import topn_pipeline

    data = from_interactions_df(pd.DataFrame({"user_id": split.user, "item_id": split.item}))
    pipe = topn_pipeline(ImplicitMFScorer(embedding_size=64, epochs=10), n=LENGTH)
    pipe.train(data)
    yield None
    found = recommend(pipe, split.wanted.tolist(), n=LENGTH, n_jobs=1)
    yield _padded([found.lookup(user_id=user).ids() for user in split.wanted.tolist()])


def cornac_bpr(split: Split) -> Iterator[Ids | None]:
    from cornac.data import Dataset
    from cornac.models import BPR

    data = Dataset.from_uir(zip(split.user.tolist(), split.item.tolist(), [1.0] * len(split.user), strict=True))
    model = BPR(k=64, max_iter=100, learning_rate=0.05, lambda_reg=0.002, num_threads=2, seed=0)
    model.fit(data)
    yield None
    lists = []
    for user in split.wanted.tolist():
        scores = model.score(data.uid_map[user])
        scores[data.matrix[data.uid_map[user]].indices] = -np.inf
        lists.append(np.argsort(-scores)[:LENGTH])
    yield np.array(list(data.item_ids))[np.array(lists)]


def lightfm_warp(split: Split) -> Iterator[Ids | None]:
    from lightfm import LightFM

    lists = split.matrix()
    model = LightFM(no_components=64, loss="warp", learning_rate=0.05, random_state=0)
    model.fit(lists.tocoo(), epochs=30, num_threads=2)
    yield None
    item_bias, items = model.get_item_representations()
    _, users = model.get_user_representations()
    found = []
    for start in range(0, len(split.wanted), 500):
        some = split.wanted[start : start + 500]
        scores = users[some] @ items.T + item_bias
        scores[lists[some].nonzero()] = -np.inf
        best = np.argpartition(-scores, LENGTH, axis=1)[:, :LENGTH]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        found.append(np.take_along_axis(best, order, axis=1))
    yield np.vstack(found)


def _recbole(split: Split, model: str, **settings: Any) -> Iterator[Ids | None]:
    import tempfile

    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    folder = Path(tempfile.mkdtemp())
    (folder / "split").mkdir()
    for part, chosen in (("train", slice(None)), ("valid", slice(1)), ("test", slice(1))):
        pairs = zip(split.user[chosen].tolist(), split.item[chosen].tolist(), strict=True)
        lines = [f"{user}\t{item}" for user, item in pairs]
        (folder / "split" / f"split.{part}.inter").write_text("user_id:token\titem_id:token\n" + "\n".join(lines))
    config = Config(
        model=model,
        dataset="split",
        config_dict={
            "data_path": str(folder), "benchmark_filename": ["train", "valid", "test"], "eval_step": 0,
            "load_col": {"inter": ["user_id", "item_id"]}, "checkpoint_dir": str(folder), "show_progress": False,
            "state": "ERROR", **settings,
        },
    )  # fmt: skip
    init_seed(0, True)
    data = create_dataset(config)
    training = data_preparation(config, data)[0]
    fitted = get_model(model)(config, training.dataset)
    get_trainer(config["MODEL_TYPE"], model)(config, fitted).fit(training, None, saved=False, show_progress=False)
    yield None
    users = data.token2id("user_id", [str(user) for user in split.wanted.tolist()])
    lists, found = split.matrix(), []
    with torch.no_grad():
        for start in range(0, len(users), 256):
            scores = fitted.full_sort_predict({"user_id": torch.as_tensor(users[start : start + 256])})
            scores = scores.reshape(-1, data.item_num).numpy().copy()
            by_item = np.full((len(scores), split.n_items), -np.inf, np.float32)
            names = data.id2token("item_id", np.arange(1, data.item_num)).astype(np.int64)
            by_item[:, names] = scores[:, 1:]
            by_item[lists[split.wanted[start : start + 256]].nonzero()] = -np.inf
            found.append(np.argsort(-by_item, axis=1)[:, :LENGTH])
    yield np.vstack(found)


def recbole_knn(split: Split) -> Iterator[Ids | None]:
    yield from _recbole(split, "ItemKNN", k=200, shrink=0.0)


def recbole_lightgcn(split: Split) -> Iterator[Ids | None]:
    yield from _recbole(split, "LightGCN", embedding_size=64, n_layers=3, reg_weight=1e-4, epochs=100)


def _padded(lists: list[Any]) -> Ids:
    found = np.full((len(lists), LENGTH), -1, np.int64)
    for row, items in zip(found, lists, strict=True):
        row[: len(items)] = items
    return found


MODELS: dict[str, tuple[str, str, Recipe]] = {
    "GARS, defaults": ("gars", "gars", gars),
    "implicit, ALS, 200 factors, alpha 10, regularisation 1": ("implicit", "implicit", implicit_als),
    "implicit, BM25, 200 neighbours": ("implicit", "implicit", implicit_bm25),
    "RecTools, PureSVD, 256 factors": ("rectools", "rectools", rectools_svd),
    "RecTools, EASE, l2 500": ("rectools", "rectools", rectools_ease),
    "LensKit, item-kNN, 20 of 200 neighbours": ("lenskit", "lenskit", lenskit_knn),
    "LensKit, implicit MF, 64 factors": ("lenskit", "lenskit", lenskit_als),
    "Cornac, BPR, 64 factors, 100 epochs": ("cornac", "cornac", cornac_bpr),
    "LightFM (lightfm-next), WARP, 64 factors, 30 epochs": ("lightfm", "lightfm-next", lightfm_warp),
    "RecBole, ItemKNN, 200 neighbours": ("recbole", "recbole", recbole_knn),
    "RecBole, LightGCN, 3 layers, 100 epochs": ("recbole", "recbole", recbole_lightgcn),
}
"""Environment, distribution and recipe of each model."""


def lines_of(recipe: Recipe) -> int:
    """Lines of code in a recipe, helpers of this file included."""
    sources: list[Callable[..., Any]] = [recipe]
    if "_recbole(" in inspect.getsource(recipe):
        sources.append(_recbole)
    return sum(len([line for line in inspect.getsource(one).splitlines()[1:] if line.strip()]) for one in sources)


def main(name: str, given: str, out: str) -> None:
    """Run a recipe on the split in a file; write the lists, and print what was measured."""
    from importlib import metadata

    _, distribution, recipe = MODELS[name]
    with np.load(given) as arrays:
        n_users, n_items = arrays["sizes"].tolist()
        split = Split(arrays["user"], arrays["item"], n_users, n_items, arrays["wanted"])
    run = recipe(split)
    started, used = time.perf_counter(), time.process_time()
    next(run)
    fitted, fit_used = time.perf_counter(), time.process_time()
    found = next(run)
    ended, all_used = time.perf_counter(), time.process_time()
    assert found is not None
    np.save(out, found.astype(np.int64))
    measured = {
        "fit": fitted - started,
        "fit_cpu": fit_used - used,
        "score": ended - fitted,
        "score_cpu": all_used - fit_used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "version": metadata.version(distribution),
        "lines": lines_of(recipe),
    }
    print("MEASURED " + json.dumps(measured), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
