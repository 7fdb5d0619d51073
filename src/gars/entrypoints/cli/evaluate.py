"""``gars evaluate``: both tasks on the fixed splits, against their baselines, with intervals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from gars.application.progress import Progress
from gars.datasets.build import build_sample
from gars.datasets.splits import fixed_like_split, fixed_topn_split
from gars.library import protocols
from gars.library.fitting import QUICK, FitConfig
from gars.library.recommender import Recommender
from gars.library.terminal import TerminalProgress


class Task(StrEnum):
    """What is measured."""

    ALL = "all"
    LISTS = "lists"
    LIKES = "likes"


class Protocol(StrEnum):
    """What is held out: A and B of lists, the others of likes."""

    A = "A"
    B = "B"
    RANDOM = "random"
    PER_USER = "per-user"
    COLD_USERS = "cold-users"


class Part(StrEnum):
    """Whose rows are judged."""

    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    task: Annotated[Task, typer.Option(help="Ranked lists, like predictions, or both.")] = Task.ALL,
    protocol: Annotated[
        list[Protocol] | None, typer.Option(help="Only these: A, B (lists); random, per-user, cold-users (likes).")
    ] = None,
    part: Annotated[Part, typer.Option(help="Tune on validation; report test once.")] = Part.VALIDATION,
    seed: Annotated[int, typer.Option(help="Seed of training and of the intervals.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Train as gars demo does.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder for data.")] = Path("var"),
    mirror: Annotated[
        Path | None, typer.Option(envvar="GARS_MIRROR", help="Folder that holds copies of the data sources.")
    ] = None,
) -> None:
    """Train on the fixed splits of the ratings sample and judge what was held out. Takes a few minutes a protocol.

    Lists are ranked over all items, never against sampled negatives. Catalogue score and members stay out of training:
    they were counted from all ratings, the held-out ones too.
    """
    progress = TerminalProgress(Console(stderr=True))
    dataset = build_sample(home, mirror=mirror, progress=progress)
    rows, config = dataset.interactions().collect(), QUICK if quick else FitConfig()
    bench = Bench(rows, dataset.catalogue(), part, seed, config, home, mirror, progress)
    wanted = protocol or list(Protocol)
    for one in wanted:
        of_lists = one in (Protocol.A, Protocol.B)
        if task is (Task.LIKES if of_lists else Task.LISTS):
            continue
        for report in bench.lists(one) if of_lists else bench.likes(one):
            (_print_markdown if markdown else _print_table)(report)


@dataclass(frozen=True, slots=True)
class Report:
    """One table."""

    title: str
    header: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Bench:
    """The data, and what is asked of them."""

    rows: pl.DataFrame
    catalogue: pl.DataFrame
    part: Part
    seed: int
    config: FitConfig
    home: Path
    mirror: Path | None
    progress: Progress

    def lists(self, protocol: Protocol) -> Iterator[Report]:
        """Quality of the lists, and the paired gain of both stages over the best single channel."""
        split = fixed_topn_split(self.home, mirror=self.mirror, progress=self.progress)
        users = split.test if self.part is Part.TEST else split.validation
        letter = protocols.as_topn_protocol(protocol.value)
        training = protocols.topn_training(self.rows, split, letter)
        protocols.refuse_topn_leak(training, users)
        fitted, seconds = self._fit(training)
        scores = protocols.judge_topn(
            fitted, protocols.topn_cases(self.rows, users, letter), split.items, self.progress
        )
        yield Report(
            f"Lists, protocol {protocol}: {len(users)} {self.part} users, {len(split.items):,} items, "
            f"fit {seconds:.0f} s, seed {self.seed}",
            ["model", "recall@20", "recall@50", "ndcg@10", "ndcg@100", "coverage@10"],
            [
                [name, *map(str, one.intervals(self.seed).values()), f"{one.coverage:.3f}"]
                for name, one in scores.items()
            ],
        )
        single = {name: one for name, one in scores.items() if name in fitted.engine.retriever.channel_names}
        best = max(single, key=lambda name: single[name].per_user["ndcg@100"].mean())
        gains = scores["two stages"].gain_over(single[best], self.seed)
        yield Report(f"Two stages against {best}, paired", list(gains), [[str(gain) for gain in gains.values()]])

    def likes(self, protocol: Protocol) -> Iterator[Report]:
        """Quality of the like predictions."""
        split = fixed_like_split(protocol.value, self.home, mirror=self.mirror, progress=self.progress)
        training = protocols.like_training(self.rows, split)
        protocols.refuse_like_leak(training, split)
        fitted, seconds = self._fit(training)
        letter = protocols.LETTERS[self.part.value]
        predictions = protocols.judge_likes(fitted, self.rows, split, letter, self.progress)
        table = []
        for name, one in predictions.items():
            values, intervals = one.values(), one.intervals(self.seed)
            plain = [f"{values[key]:.3f}" for key in ("gauc", "log_loss", "ece")]
            table.append([name, str(intervals["accuracy"]), str(intervals["auc"]), *plain])
        yield Report(
            f"Likes, protocol {protocol}: {len(split.rows(letter)):,} {self.part} rows, "
            f"fit {seconds:.0f} s, seed {self.seed}",
            ["model", "accuracy", "AUC", "GAUC", "log loss", "ECE"],
            table,
        )

    def _fit(self, training: pl.DataFrame) -> tuple[Recommender, float]:
        started = time.perf_counter()
        fitted = protocols.fit_on(training, self.catalogue, config=self.config, seed=self.seed, progress=self.progress)
        return fitted, time.perf_counter() - started


def _print_table(report: Report) -> None:
    table = Table(*report.header, title=report.title, title_justify="left", box=None, header_style="bold")
    for row in report.rows:
        table.add_row(*row)
    Console().print(table)


def _print_markdown(report: Report) -> None:
    lines = [f"**{report.title}**", "", "| " + " | ".join(report.header) + " |", "|---" * len(report.header) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in report.rows]
    Console(soft_wrap=True).print("\n".join(lines) + "\n", highlight=False, markup=False)
