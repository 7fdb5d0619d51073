"""``gars evaluate``: tables on the terminal, a report on request, and what was skipped by name."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from gars.domain.metrics import Interval, ReliabilityBin
from gars.entrypoints.cli import app as cli
from gars.entrypoints.cli import evaluate as command
from gars.evaluation.benchmark import Benchmark
from gars.evaluation.report import results

LISTS = {name: Interval(0.5, 0.4, 0.6) for name in ("recall@20", "recall@50", "ndcg@10", "ndcg@100")}
LIKES = {name: Interval(0.8, 0.7, 0.9) for name in ("accuracy", "auc")}


def of_lists(protocol: str) -> results.ListsResult:
    models = [
        results.ListModelResult(
            name=name, role="pipeline" if name == "two stages" else "channel", metrics=LISTS, coverage=0.2,
            novelty=3.0, diversity=None, head_share=0.5, gini=0.9, scoring_ms=None, groups=[],
        )
        for name in ("edlae", "two stages")
    ]  # fmt: skip
    gain = results.Comparison(model="two stages", against="edlae", gains={"ndcg@10": Interval(0.01, -0.01, 0.03)})
    return results.ListsResult(
        protocol=protocol, data="ratings sample", users=5, items=9, fit_seconds=1.0, baseline="edlae",
        models=models, comparisons=[gain],
    )  # fmt: skip


def of_likes(protocol: str) -> results.LikesResult:
    models = [
        results.LikeModelResult(
            name=name, role="baseline", metrics=LIKES, values={"gauc": 0.7, "log_loss": 0.5, "ece": None},
            scoring_ms=0.1, reliability=[ReliabilityBin(3, 0.2, 0.25)], groups=[],
        )
        for name in ("item rate", "two stages")
    ]  # fmt: skip
    gain = results.Comparison(model="two stages", against="item rate", gains=LIKES)
    return results.LikesResult(
        protocol=protocol, data="ratings sample", rows=7, users=3, fit_seconds=1.0, baseline="item rate",
        models=models, comparisons=[gain],
    )  # fmt: skip


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool, bool]]:
    """Nothing is trained: each protocol gives a made-up result; returns what was asked for."""
    calls: list[tuple[str, bool, bool]] = []
    nothing = SimpleNamespace(interactions=lambda: pl.LazyFrame(), catalogue=lambda: pl.DataFrame())
    monkeypatch.setattr(command, "build_sample", lambda *_, **__: nothing)

    def run(
        self: Benchmark, protocol: str, *, lists: bool, likes: bool
    ) -> Iterator[results.ListsResult | results.LikesResult]:
        calls.append((protocol, lists, likes))
        if protocol == "movielens":
            self.skipped.append(results.Skipped(protocol=protocol, name="everything", reason="no network"))
        elif protocol in ("A", "B", "M"):
            yield of_lists(protocol)
        else:
            yield of_likes(protocol)

    monkeypatch.setattr(Benchmark, "run", run)
    monkeypatch.setenv("COLUMNS", "160")
    return calls


def gars(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["gars", "evaluate", *words])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_every_protocol_is_shown_and_what_was_skipped_is_named(
    evaluated: list[tuple[str, bool, bool]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch) == 0
    assert [one for one, _, _ in evaluated] == ["A", "B", "M", "random", "per-user", "cold-users", "movielens"]
    stdout = capsys.readouterr().out
    assert "Lists, protocol A: 5 validation users of the ratings sample, 9 items" in stdout
    assert "Two stages against edlae, paired" in stdout
    assert "Likes, protocol cold-users: 7 validation rows" in stdout
    assert "Not measured" in stdout
    assert "no network" in stdout


def test_one_task_alone(evaluated: list[tuple[str, bool, bool]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert gars(monkeypatch, "--task", "lists", "--protocol", "B") == 0
    assert evaluated == [("B", True, False)]


def test_a_report_is_written_and_its_command_holds_no_path(
    evaluated: list[tuple[str, bool, bool]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the plots need the report extra")
    report = tmp_path / "out"
    assert gars(monkeypatch, "--report", str(report), "--protocol", "A", "--protocol", "movielens", "--quick") == 0
    stored = results.read(report / "report.json")
    assert [one.protocol for one in stored.lists] == ["A"]
    assert stored.about.command == "gars evaluate --part validation --seed 0 --protocol A --protocol movielens --quick"
    assert str(tmp_path) not in (report / "report.html").read_text()
    assert "no network" in (report / "report.md").read_text()


def test_a_report_that_cannot_be_drawn_is_refused_before_anything_is_trained(
    evaluated: list[tuple[str, bool, bool]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert gars(monkeypatch, "--report", str(tmp_path / "out")) == 1
    assert "→ pip install 'gars[report]'" in capsys.readouterr().err
    assert not evaluated
