"""Data of other domains by the protocol of their papers: every channel, the fused order, both stages.

    python benchmarks/foreign.py --data gowalla                # the LightGCN split, next to published figures
    python benchmarks/foreign.py --data movielens              # MovieLens 100k, unrated, a random fifth hidden
    python benchmarks/foreign.py --data DIR                    # a folder with train.txt and test.txt: user item item …

All items but the user's training items are ranked. R@20 is hits over the user's test items, N@20 the binary NDCG whose
ideal list has min(20, test items) hits; both are means over users with test items, with 95 % bootstrap intervals over
users. Nothing is chosen on test rows: ``fit`` sees the training rows alone. Channels alone are judged on ``--users``
users drawn by the seed, the served lists on all.
"""

from __future__ import annotations

import argparse
import os
import resource
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars import Recommender
from gars.datasets import movielens
from gars.domain.metrics import bootstrap, hits, ndcg_at
from gars.domain.top_k import argsort_descending
from gars.evaluation.report.machine import commit, machine
from gars.library.fit_config import QUICK, FitConfig
from gars.library.terminal import TerminalProgress
from gars.retrieval.large import LargeRetriever
from gars.runtime.progress import Progress, Silent

CUT = 20
POOLS = (100, 500, 1000)
HEAD = 10_000
GOWALLA = "gowalla-lightgcn.tar.gz"
PUBLISHED = {
    "gowalla": {
        "LightGCN (He et al., SIGIR 2020)": (0.1830, 0.1554),
        "UltraGCN (Mao et al., CIKM 2021)": (0.1862, 0.1580),
        "GF-CF (Shen et al., CIKM 2021)": (0.1849, 0.1518),
        "SimpleX (Mao et al., CIKM 2021)": (0.1872, 0.1557),
        "BSPM-EM (Choi et al., SIGIR 2023)": (0.1920, 0.1597),
    }
}
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """One split."""

    name: str
    training: pl.DataFrame
    targets: dict[int, Ints]
    """Test items of each user."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", default="gowalla", help="gowalla, movielens, or a folder (see above)")
    options.add_argument("--mirror", type=Path, default=mirror(), help=f"folder with {GOWALLA}  [GARS_MIRROR]")
    options.add_argument("--home", type=Path, default=Path("var"), help="where downloads are kept")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--users", type=int, default=2000, help="users on whom each channel alone is judged")
    options.add_argument("--quick", action="store_true", help="the quick settings of the ranking model")
    given = options.parse_args()
    data, progress = load(given.data, given.mirror, given.home, given.seed), TerminalProgress()
    started, before = time.perf_counter(), time.process_time()
    config = QUICK if given.quick else FitConfig()
    fitted = Recommender.fit(data.training, config=config, seed=given.seed, progress=progress)
    fit_used = time.process_time() - before
    fit_seconds, fit_memory = time.perf_counter() - started, _peak_gb()
    here = machine()
    print(f"### {data.name}: {_size(data)}\n")
    print(f"`python benchmarks/foreign.py --data {Path(given.data).name} --seed {given.seed}`, {here.cores} cores of")
    print(f"{here.cpu}, load {os.getloadavg()[0]:.0f}, Python {here.python}, commit {commit()}.\n")
    users = np.array(sorted(data.targets), np.int64)
    some = np.sort(np.random.default_rng(given.seed).permutation(users)[: given.users])
    print(f"| order | users | R@{CUT} | N@{CUT} |\n|---|---|---|---|")
    for name, found in _orders(fitted, some, progress).items():
        _row(name, found, some, data, given.seed)
    started, used = time.perf_counter(), time.process_time()
    lists = np.vstack([ids for _, ids in fitted.recommend_users(users.tolist(), 100)])
    seconds, used = time.perf_counter() - started, time.process_time() - used
    _row("**served lists**", lists, users, data, given.seed)
    for name, (recall, ndcg) in PUBLISHED.get(data.name, {}).items():
        print(f"| {name}, published | {len(users):,} | {recall:.4f} | {ndcg:.4f} |")
    print(f"\nFit {fit_seconds:.0f} s ({fit_used:.0f} s of processor time), peak memory {fit_memory:.1f} GB.")
    print(f"{len(users) / seconds:,.0f} users a second, {CUT * 5} items each, on {here.cores} cores")
    print(f"({1000 * used / len(users):.2f} ms of processor time a user, peak {_peak_gb():.1f} GB).\n")
    _stages(fitted, data, some, lists, users)
    print("\nChosen on held-out entries of the training rows:\n")
    for name, value in fitted.measured.items():
        print(f"- {name}: {value:.4f}")
    print(f"- settings: `{fitted.config.retrieval.large}`" if _is_large(fitted) else "")


def _row(name: str, lists: Ints, users: Ints, data: Data, seed: int) -> None:
    print(row_of(name, lists, users, data, seed), flush=True)


def row_of(name: str, lists: Ints, users: Ints, data: Data, seed: int) -> str:
    """A row of the table for lists (u, k) of ids, best first."""
    targets = [data.targets[int(user)] for user in users]
    counts, hit = np.array([len(one) for one in targets]), hits(lists[:, :CUT], targets)
    recall = bootstrap(hit.sum(axis=1) / counts, np.random.default_rng(seed))
    ndcg = bootstrap(ndcg_at(hit, counts, CUT), np.random.default_rng(seed))
    shown = [f"{one.mean:.4f} [{one.low:.4f}, {one.high:.4f}]" for one in (recall, ndcg)]
    return f"| {name} | {len(users):,} | {shown[0]} | {shown[1]} |"


def _orders(fitted: Recommender, users: Ints, progress: Progress) -> dict[str, Ints]:
    """The best items of each channel alone and of the fused order of stage one, where every item is scored."""
    retriever = fitted.engine.retriever
    names = (*retriever.channel_names, "fused, all items scored")
    found = np.full((len(names), len(users), CUT), -1, np.int64)
    with progress.task("judge channels", len(users)) as advance:
        for place, user in enumerate(users.tolist()):
            rows, weights, allowed = _history(fitted, user)
            scores = retriever.scores(rows, weights)
            for number, score in enumerate([*scores, retriever.fuse(scores, cold=not len(rows))]):
                few = np.sort(np.argpartition(-np.where(allowed, score, -np.inf), CUT)[:CUT])
                found[number, place] = retriever.items.anime_ids[few[argsort_descending(score[few])]]
            advance(1)
    return dict(zip(names, found, strict=True))


def _history(fitted: Recommender, user: int) -> tuple[Ints, NDArray[np.float32], NDArray[np.bool_]]:
    rows, weights = fitted.engine.query(fitted.read_history(None, user))
    allowed = np.ones(len(fitted.item_ids), np.bool_)
    allowed[rows] = False
    return rows, weights, allowed


def _stages(fitted: Recommender, data: Data, some: Ints, lists: Ints, users: Ints) -> None:
    """Recall of the candidates by their number, and of head and tail items."""
    retriever = fitted.engine.retriever
    print("| candidates asked of each channel | candidates | share of the test items among them |\n|---|---|---|")
    for want in POOLS:
        sizes, shares = [], []
        for user in some[:500].tolist():
            rows, weights, allowed = _history(fitted, user)
            pool = retriever.candidates(rows, weights, allowed, per_channel=want).rows
            sizes.append(len(pool))
            shares.append(float(np.isin(data.targets[user], retriever.items.anime_ids[pool]).mean()))
        print(f"| {want} | {np.mean(sizes):,.0f} | {np.mean(shares):.4f} |")
    counts = dict(zip(*np.unique(data.training["item_id"].to_numpy(), return_counts=True), strict=True))
    head = np.array(sorted(counts, key=lambda item: -counts[item])[:HEAD])
    print(f"\n| test items | share | found in the first {CUT} |\n|---|---|---|")
    in_head = [np.isin(data.targets[int(user)], head) for user in users]
    found = [np.isin(data.targets[int(user)], row[:CUT]) for user, row in zip(users, lists, strict=True)]
    flags, hit = np.concatenate(in_head), np.concatenate(found)
    for name, chosen in ((f"the {HEAD:,} most popular items", flags), ("others", ~flags)):
        if chosen.any():
            print(f"| {name} | {chosen.mean():.3f} | {hit[chosen].mean():.4f} |")


def _is_large(fitted: Recommender) -> bool:
    return isinstance(fitted.engine.retriever, LargeRetriever)


def load(name: str, mirror: Path | None, home: Path, seed: int) -> Data:
    """Read a split by the name given to ``--data``."""
    if name == "gowalla":
        if mirror is None:
            raise SystemExit(f"no folder with {GOWALLA}: set GARS_MIRROR or give --mirror")
        with tarfile.open(mirror / GOWALLA) as archive:
            parts = {
                member.name.rpartition("/")[2]: _text(archive.extractfile(member))
                for member in archive
                if member.isfile()
            }
        return Data(
            name,
            pl.concat([_rows(parts["train.txt"]), _rows(parts["valid.txt"])]),
            _lists(parts["test.txt"]),
        )
    if name == "movielens":
        split = movielens.load(home, mirror=mirror, progress=Silent()).split
        hidden = np.random.default_rng(seed).random(len(split.user)) < 0.2
        rows = pl.DataFrame({"user_id": split.user, "item_id": split.anime_id})
        grouped = rows.filter(hidden).group_by("user_id", maintain_order=True).agg("item_id")
        targets = {int(user): np.array(items, np.int64) for user, items in grouped.iter_rows()}
        known = set(rows.filter(~hidden)["user_id"].to_list())
        return Data(name, rows.filter(~hidden), {user: items for user, items in targets.items() if user in known})
    folder = Path(name)
    train, test = ((folder / part).read_text().splitlines() for part in ("train.txt", "test.txt"))
    return Data(folder.name, _rows(train), _lists(test))


def _text(file: IO[bytes] | None) -> list[str]:
    return file.read().decode().splitlines() if file is not None else []


def _rows(lines: Iterable[str]) -> pl.DataFrame:
    """``user item item …`` a line, as rows."""
    lists = _lists(lines)
    return pl.DataFrame(
        {
            "user_id": np.repeat(np.array(list(lists), np.int64), [len(items) for items in lists.values()]),
            "item_id": np.concatenate(list(lists.values())),
        }
    )


def _lists(lines: Iterable[str]) -> dict[int, Ints]:
    words = [line.split() for line in lines]
    return {int(first): np.array(rest, np.int64) for first, *rest in words if rest}


def _size(data: Data) -> str:
    users, items = data.training["user_id"].n_unique(), data.training["item_id"].n_unique()
    return (
        f"{users:,} users, {items:,} items, {data.training.height:,} training rows, "
        f"{sum(map(len, data.targets.values())):,} test rows"
    )


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def mirror() -> Path | None:
    """The folder of the environment with data that cannot be downloaded here."""
    return Path(os.environ["GARS_MIRROR"]) if "GARS_MIRROR" in os.environ else None


if __name__ == "__main__":
    main()
