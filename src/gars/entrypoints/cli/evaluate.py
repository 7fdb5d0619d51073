"""``gars evaluate``: both tasks on the fixed splits, against their baselines, with intervals."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from gars.datasets.build import build_sample
from gars.datasets.splits import fixed_like_split, fixed_topn_split
from gars.library import protocols
from gars.library.fitting import FitConfig
from gars.library.terminal import TerminalProgress


class Task(StrEnum):
    """What is measured."""

    ALL = "all"
    LISTS = "lists"
    LIKES = "likes"


class Part(StrEnum):
    """Whose rows are judged."""

    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    task: Annotated[Task, typer.Option(help="Ranked lists, like predictions, or both.")] = Task.ALL,
    protocol: Annotated[
        list[str] | None, typer.Option(help="Only these: A, B (lists); random, per-user, cold-users (likes).")
    ] = None,
    part: Annotated[Part, typer.Option(help="Tune on validation; report test once.")] = Part.VALIDATION,
    seed: Annotated[int, typer.Option(help="Seed of training and of the intervals.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder for data.")] = Path("var"),
    mirror: Annotated[
        Path | None, typer.Option(envvar="GARS_MIRROR", help="Folder that holds copies of the data sources.")
    ] = None,
) -> None:
    """Train on the fixed splits of the ratings sample and judge what was held out. Takes about two minutes a protocol.

    Lists are ranked over all items, never against sampled negatives. Catalogue score and members stay out of training:
    they were counted from all ratings, the held-out ones too.
    """
    progress = TerminalProgress(Console(stderr=True))
    dataset = build_sample(home, mirror=mirror, progress=progress)
    rows, catalogue = dataset.interactions().collect(), dataset.catalogue()
    wanted = set(protocol or ["A", "B", "random", "per-user", "cold-users"])
    print_table = _markdown if markdown else _terminal
    if task is not Task.LIKES:
        split = fixed_topn_split(home, mirror=mirror, progress=progress)
        users = split.test if part is Part.TEST else split.validation
        for letter in ("A", "B"):
            if letter not in wanted:
                continue
            training = protocols.topn_training(rows, split, letter)
            protocols.refuse_topn_leak(training, users)
            started = time.perf_counter()
            fitted = protocols.fit_on(training, catalogue, config=FitConfig(), seed=seed, progress=progress)
            seconds = time.perf_counter() - started
            scores = protocols.judge_topn(fitted, protocols.topn_cases(rows, users, letter), split.items, progress)
            table = [
                [name, *(str(interval) for interval in one.intervals(seed).values()), f"{one.coverage:.3f}"]
                for name, one in scores.items()
            ]
            title = f"Lists, protocol {letter}, {len(users)} {part} users, {len(split.items):,} items, fit {seconds:.0f} s, seed {seed}"
            print_table(title, ["model", "recall@20", "recall@50", "ndcg@10", "ndcg@100", "coverage@10"], table)
            best = max(
                (name for name in scores if name not in ("two stages",)),
                key=lambda n: scores[n].per_user["ndcg@100"].mean(),
            )
            gain = scores["two stages"].gain_over(scores[best], seed)
            Console().print(
                f"two stages against {best}, paired: " + ", ".join(f"{k} {v}" for k, v in gain.items()), highlight=False
            )
    if task is not Task.LISTS:
        letter_of: dict[Part, Literal["v", "e"]] = {Part.VALIDATION: "v", Part.TEST: "e"}
        names: tuple[protocols.LikeProtocol, ...] = ("random", "per-user", "cold-users")
        for name in names:
            if name not in wanted:
                continue
            like_split = fixed_like_split(name, home, mirror=mirror, progress=progress)
            training = protocols.like_training(rows, like_split)
            protocols.refuse_like_leak(training, like_split)
            started = time.perf_counter()
            fitted = protocols.fit_on(training, catalogue, config=FitConfig(), seed=seed, progress=progress)
            seconds = time.perf_counter() - started
            predictions = protocols.judge_likes(fitted, rows, like_split, letter_of[part], progress)
            table = []
            for model, one in predictions.items():
                values, interval = one.values(), one.intervals(seed)
                table.append(
                    [model, str(interval["accuracy"]), str(interval["auc"])]
                    + [f"{values[key]:.3f}" for key in ("gauc", "log_loss", "ece")]
                )
            n_rows = len(next(iter(predictions.values())).p)
            title = f"Likes, protocol {name}, {n_rows:,} {part} rows, fit {seconds:.0f} s, seed {seed}"
            print_table(title, ["model", "accuracy", "AUC", "GAUC", "log loss", "ECE"], table)


def _terminal(title: str, header: list[str], rows: list[list[str]]) -> None:
    table = Table(*header, title=title, title_justify="left", box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _markdown(title: str, header: list[str], rows: list[list[str]]) -> None:
    console = Console(soft_wrap=True)
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    console.print("\n".join(lines) + "\n", highlight=False, markup=False)
