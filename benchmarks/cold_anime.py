"""Ranking quality of anime without viewers: titles are left out of training altogether, then ranked.

    python benchmarks/cold_anime.py --part test --publish    # the table of docs/benchmarks.md, on test users
    python benchmarks/cold_anime.py --quick                  # a look, on validation users

Titles are drawn by seed from those that at least ten training users liked; no row of them is trained on, of any user,
and their score and members are unknown. Held-out users show their list without them; judged is where the ones they
liked come, among the drawn titles alone (the shelf of new anime) and in the whole list.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.build import build_sample
from gars.datasets.durable import write_whole
from gars.datasets.splits import fixed_topn_split
from gars.domain import metrics
from gars.domain.candidates import Filters
from gars.domain.history import LIKED_ABOVE, History, Rating
from gars.evaluation import protocols
from gars.evaluation.report.benchmarks import replace_block
from gars.evaluation.report.machine import commit, machine
from gars.library import cold_anime
from gars.library.blas import one_thread
from gars.library.fit_config import QUICK, FitConfig
from gars.library.recommender import Recommender
from gars.library.terminal import TerminalProgress

PUBLISHED = Path(__file__).parents[1] / "docs" / "benchmarks.md"
DRAWN, FEWEST_LIKES = 300, 10
Score = Callable[[History, NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A held-out user: what is shown, and which of the drawn titles they liked."""

    history: list[Rating]
    liked: NDArray[np.int64]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", choices=["validation", "test"], default="validation")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--publish", action="store_true", help="write the table into docs/benchmarks.md")
    options.add_argument("--keep", type=Path, help="folder to keep the fitted model in, or to take it from")
    given = options.parse_args()
    progress = TerminalProgress()
    home = Path(os.environ.get("GARS_HOME", "var"))
    mirror = Path(os.environ["GARS_MIRROR"]) if "GARS_MIRROR" in os.environ else None
    dataset = build_sample(home, mirror=mirror, progress=progress)
    rows = dataset.interactions().collect()
    split = fixed_topn_split(home, mirror=mirror, progress=progress)
    training = rows.filter(pl.col("user_id").is_in(split.train_users)).select("user_id", "anime_id", "rating")
    drawn = draw(training, given.seed)
    users = split.test if given.part == "test" else split.validation
    protocols.refuse_topn_leak(training, users)
    if given.keep is not None and (given.keep / "manifest.json").is_file():
        model = Recommender.load(given.keep)
    else:
        model = protocols.fit_on(
            training.filter(~pl.col("anime_id").is_in(drawn.tolist())),
            dataset.catalogue(),
            config=QUICK if given.quick else FitConfig(),
            seed=given.seed,
            progress=progress,
        )
        if given.keep is not None:
            model.save(given.keep)
    items = model.engine.retriever.items
    assert not items.counts[items.rows(drawn)].any(), "a drawn title was trained on"
    shown = [one for user in users if len((one := hide(rows, user.user, drawn)).liked)]
    lines = table(model, shown, drawn, given.seed, progress)
    command = f"python benchmarks/cold_anime.py --part {given.part} --seed {given.seed}{' --quick' * given.quick}"
    head = [
        f"{len(drawn)} anime that at least {FEWEST_LIKES} training users liked, drawn by seed {given.seed} and left "
        f"out of training altogether; {len(shown):,} {given.part} users who liked one of them.",
        "",
    ]
    at = machine()
    foot = ["", f"`{command}`, {at.cores} cores of {at.cpu}, Python {at.python}, commit {commit()}."]
    text = "\n".join([*head, *lines, *foot])
    print(text)
    if given.publish:
        write_whole(PUBLISHED, replace_block(PUBLISHED.read_text(), "cold-anime", text).encode())


def draw(training: pl.DataFrame, seed: int) -> NDArray[np.int64]:
    """The titles to leave out, from what training users liked alone. → (DRAWN,) ascending"""
    liked = training.filter(pl.col("rating") > LIKED_ABOVE)["anime_id"].value_counts()
    known = np.sort(liked.filter(pl.col("count") >= FEWEST_LIKES)["anime_id"].to_numpy())
    return np.sort(np.random.default_rng([seed, 7]).choice(known, DRAWN, replace=False))


def hide(rows: pl.DataFrame, user: int, drawn: NDArray[np.int64]) -> Shown:
    own = rows.filter(pl.col("user_id") == user)
    is_drawn = pl.col("anime_id").is_in(drawn.tolist())
    seen = own.filter(~is_drawn).select("anime_id", "rating")
    liked = own.filter(is_drawn & (pl.col("rating") > LIKED_ABOVE))["anime_id"].to_numpy()
    return Shown([Rating(i, None if r is None else float(r)) for i, r in seen.iter_rows()], np.asarray(liked, np.int64))


def table(
    model: Recommender, users: list[Shown], drawn: NDArray[np.int64], seed: int, progress: TerminalProgress
) -> list[str]:
    engine = model.engine
    retriever, items = engine.retriever, engine.retriever.items
    rows = items.rows(drawn)
    near = _of(cold_anime.find(engine), drawn)
    chance = np.random.default_rng([seed, 8])
    scores: dict[str, list[NDArray[np.float32]]] = {}
    found: dict[str, list[NDArray[np.int64]]] = {}
    with one_thread(), progress.task("judge", len(users)) as advance:
        for user in users:
            history = model.read_history(user.history)
            query, weights = engine.query(history)
            channels = retriever.scores(query, weights)
            candidates = retriever.scored(query, weights, rows)
            order = engine.score(history, candidates).order
            p_like = engine.predict_like(history, rows)
            direction = _unit(weights @ retriever.vectors[query])

            def put(name: str, values: NDArray[np.float32]) -> None:
                scores.setdefault(name, []).append(np.asarray(values, np.float32))

            put("chance", chance.random(len(drawn)).astype(np.float32))
            put("content channel", channels[retriever.channel_names.index("content")][rows])
            put("ranking model, order", order)
            put("ranking model, P(like)", p_like)
            put("cosine of taste and content vector", near.vectors @ direction)
            put("nearness of descriptions", near.nearness(engine, history))
            put("mean score of neighbours", near.expected(engine, history))
            put("**the shelf: ranking model on the best by neighbours**", near.scores(engine, history))
            both = {
                "content channel alone": _whole(
                    channels[retriever.channel_names.index("content")], items.anime_ids, user
                ),
                "two stages": engine.ranked_ids(history, k=100, filters=Filters()),
            }
            for name, ids in both.items():
                found.setdefault(name, []).append(np.pad(ids[:100], (0, max(0, 100 - len(ids))), constant_values=-1))
            advance(1)
    lines = [
        "| order of the drawn titles | NDCG@10 | R@10 | R@50 |",
        "|---|---|---|---|",
    ]
    n_liked = np.array([len(user.liked) for user in users], np.int64)
    for name, each in scores.items():
        ranked = np.stack([drawn[np.lexsort((drawn, -one))[:50]] for one in each])
        hit = metrics.hits(ranked, [user.liked for user in users])
        cells = [
            metrics.ndcg_at(hit, n_liked, 10),
            metrics.recall_at(hit, n_liked, 10),
            metrics.recall_at(hit, n_liked, 50),
        ]
        shown = [str(metrics.bootstrap(values, np.random.default_rng(seed))) for values in cells]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    lines += ["", "| whole list of 100 | R@100 of the drawn titles | drawn titles in it |", "|---|---|---|"]
    for name, lists in found.items():
        ranked = np.stack(lists)
        hit = metrics.hits(ranked, [user.liked for user in users])
        recall = metrics.bootstrap(metrics.recall_at(hit, n_liked, 100), np.random.default_rng(seed))
        lines.append(f"| {name} | {recall} | {np.isin(ranked, drawn).sum(axis=1).mean():.1f} |")
    return lines


def _of(cold: cold_anime.ColdAnime, drawn: NDArray[np.int64]) -> cold_anime.ColdAnime:
    ids = np.array([one.anime_id for one in cold.anime])
    places = np.searchsorted(ids, drawn)
    return cold_anime.ColdAnime([cold.anime[place] for place in places], cold.likeness[places], cold.vectors[places])


def _whole(scores: NDArray[np.float32], ids: NDArray[np.int64], user: Shown) -> NDArray[np.int64]:
    own = np.isin(ids, [one.anime_id for one in user.history])
    values = np.where(own, -np.inf, scores)
    return ids[np.lexsort((ids, -values))[:100]]


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


if __name__ == "__main__":
    main()
