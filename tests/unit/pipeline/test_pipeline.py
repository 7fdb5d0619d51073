"""Retraining that runs itself: bad data are stopped, worse models are not promoted, nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Recommender
from gars.datasets import snapshots
from gars.datasets.acceptance import NotAcceptedError
from gars.datasets.dataset import Dataset
from gars.datasets.thresholds import Thresholds
from gars.domain.errors import ArtefactError, GarsError, InvalidInputError, StorageError
from gars.library.artefact import Manifest
from gars.library.fitting import FitHooks
from gars.library.recommender import fit_with
from gars.library.registry import Registry
from gars.pipeline import holdout_users
from gars.pipeline.comparison import decide
from gars.pipeline.journal import FILE, Begun, RunJournal, Step
from gars.pipeline.promotions import roll_back, rollbacks
from gars.pipeline.report import HTML, JSON, write
from gars.pipeline.run import IsDeleted, Outside, Pipeline
from gars.pipeline.runs import open_run, runs
from gars.runtime.progress import Silent
from gars_test_support.datasets import dataset_of, small_dataset
from gars_test_support.world import SMALL, small_world

LIMITS = Thresholds()


def no_deletions() -> AbstractContextManager[IsDeleted]:
    return nullcontext(lambda _: False)


def pipeline(home: Path, fit: Callable[..., Recommender], *, base: Dataset | None = None, **outside: Any) -> Pipeline:
    def find_base() -> Dataset:
        return base or Dataset.open(home / "data" / "small")

    journal, _ = open_run(home, {"base": base and base.name})
    return Pipeline(
        home=home,
        journal=journal,
        config=SMALL,
        seed=0,
        thresholds=LIMITS,
        outside=Outside(**{"find_base": find_base, "deleted": no_deletions, "deletions": str, **outside}),
        progress=Silent(),
        fit=fit,
    )


class Fits:
    """Counts the trainings; ``spoil`` changes what the next one sees."""

    def __init__(self) -> None:
        self.count = 0
        self.users: list[int] = []
        self.spoil: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows

    def __call__(self, hooks: FitHooks, rows: pl.DataFrame, catalogue: pl.DataFrame, **how: Any) -> Recommender:
        self.count += 1
        self.users = rows["user_id"].unique().to_list()
        return fit_with(hooks, self.spoil(rows), catalogue, **how)


@pytest.fixture
def fits() -> Fits:
    return Fits()


def shuffled(rows: pl.DataFrame) -> pl.DataFrame:
    """The same titles and the same ratings, but not who gave which to what."""
    return rows.with_columns(pl.col("rating").shuffle(seed=1))


def other_users(interactions: pl.DataFrame) -> pl.DataFrame:
    return interactions.with_columns(pl.col("user_id") + 1000)


def test_from_data_to_a_promoted_model_and_nothing_twice(tmp_path: Path, fits: Fits) -> None:
    dataset = small_dataset(tmp_path)
    first = pipeline(tmp_path, fits)
    ended = first.run()
    assert ended.verdict == "promoted", ended
    version = Registry(tmp_path / "models").current()
    assert version is not None
    manifest = Registry(tmp_path / "models").versions()[0]
    assert manifest.data["snapshot"]["hash"] == snapshots.accepted(tmp_path) == manifest.data["content_hash"]
    assert manifest.data["snapshot"]["taken_of"] == dataset.content_hash
    assert manifest.data["kept_out"] >= 30
    kept_out = holdout_users.choose(dataset.interactions().collect())
    assert not set(kept_out.tolist()) & set(fits.users)
    steps = {step.name: step for step in first.journal.steps()}
    assert list(steps) == ["start", "validate", "snapshot", "train", "evaluate", "promote"]
    assert steps["train"].seconds > 0
    assert steps["evaluate"].output["against"] == "the popular list"

    write(first.journal)
    assert msgspec.json.decode((first.journal.folder / JSON).read_bytes())["ended"]["verdict"] == "promoted"
    html = (first.journal.folder / HTML).read_text()
    assert "ndcg@10" in html
    assert "<td>train</td>" in html

    again = pipeline(tmp_path, fits)
    assert again.journal.folder != first.journal.folder
    ended = again.run()
    assert (ended.verdict, fits.count) == ("kept", 1)
    assert "nothing is new" in ended.message


def test_a_worse_model_is_not_promoted_and_a_better_one_is(tmp_path: Path, fits: Fits) -> None:
    small_dataset(tmp_path)
    fits.spoil = shuffled
    pipeline(tmp_path, fits).run()
    registry = Registry(tmp_path / "models")
    registry.promote(registry.versions()[0].version)
    worse = registry.current()

    fits.spoil = lambda rows: rows
    interactions, catalogue = small_world()
    more = pl.concat([interactions, other_users(interactions).head(20)])
    better = dataset_of(tmp_path / "data" / "more", more, catalogue)
    ended = pipeline(tmp_path, fits, base=better).run()
    assert ended.verdict == "promoted", ended
    good = registry.current()
    assert good not in (None, worse)

    fits.spoil = shuffled
    again = dataset_of(
        tmp_path / "data" / "again", pl.concat([interactions, other_users(interactions).head(40)]), catalogue
    )
    last = pipeline(tmp_path, fits, base=again)
    ended = last.run()
    assert ended.verdict == "kept", ended
    assert f"is not promoted: worse than {good}: " in ended.message
    assert "auc -0." in ended.message
    assert registry.current() == good
    compared = next(step.output for step in last.journal.steps() if step.name == "evaluate")
    assert compared["against"] == good, "against the model that serves, on users neither was trained on"
    assert compared["users"] >= 30


BAD: dict[str, tuple[str, Callable[[pl.DataFrame, pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]]] = {
    "shifted ratings": (
        "mean_rating_change",
        lambda rows, anime: (rows.with_columns((pl.col("rating") - 2).cast(pl.Int8)), anime),
    ),
    "half the catalogue gone": (
        "anime_vanished",
        lambda rows, anime: (rows.filter(pl.col("item_id") < 130), anime.filter(pl.col("item_id") < 130)),
    ),
    "a wave of bots": (
        "suspicious_user_share",
        lambda rows, anime: (
            pl.concat(
                [
                    rows,
                    *(
                        pl.DataFrame(
                            {"user_id": [9000 + bot] * 25, "item_id": range(100, 125), "rating": [10, 3, 7, 8, 5] * 5},
                            schema=rows.schema,
                        )
                        for bot in range(10)
                    ),
                ]
            ),
            anime,
        ),
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_data_are_stopped_before_anything_is_trained(tmp_path: Path, fits: Fits, kind: str) -> None:
    good = small_dataset(tmp_path)
    taken = snapshots.take(tmp_path, good, LIMITS, now=datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    check, spoil = BAD[kind]
    bad = dataset_of(tmp_path / "data" / "bad", *spoil(*small_world()))
    run = pipeline(tmp_path, fits, base=bad)
    with pytest.raises(NotAcceptedError, match=check):
        run.run()
    assert fits.count == 0
    assert snapshots.accepted(tmp_path) == taken.hash
    assert run.journal.ended is not None
    assert run.journal.ended.verdict == "stopped"
    assert check in run.journal.ended.message
    assert (run.journal.folder / "validation.html").is_file()
    report = write(run.journal)
    assert report.outcome.startswith("stopped: bad: ")


def without_training(home: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps as if a whole run had trained and judged ``version``."""
    monkeypatch.setattr(Pipeline, "_train", lambda *_: {"version": version})
    good = msgspec.to_builtins(decide([], against="x", users=99))
    monkeypatch.setattr(Pipeline, "_evaluate", lambda *_: good)


@pytest.fixture
def two_models(tmp_path: Path, small: Recommender) -> tuple[str, str]:
    """The serving one, and another."""
    registry = Registry(tmp_path / "models")

    def save(seen: str) -> Callable[[Path], Manifest]:
        changed = replace(small.engine, user_centre=small.engine.user_centre + np.float32(len(seen)))
        return lambda folder: Recommender(changed, small._rows, None).save(folder)

    first, second = (registry.add(save(seen)).version for seen in ("a", "bb"))
    registry.promote(first)
    return first, second


def test_a_service_that_refuses_and_people_who_turn_away_bring_the_old_model_back(
    tmp_path: Path, fits: Fits, two_models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_dataset(tmp_path)
    serving, candidate = two_models
    without_training(tmp_path, candidate, monkeypatch)
    registry = Registry(tmp_path / "models")
    asked: list[str] = []
    watched: list[tuple[str, str]] = []

    def refuse(version: str) -> str | None:
        assert registry.current() == version == candidate
        asked.append(version)
        return "the service refused it"

    ended = pipeline(tmp_path, fits, confirm=refuse).run()
    assert (ended.verdict, asked, registry.current()) == ("rolled back", [candidate], serving)
    assert ended.message == f"{serving} serves again in place of {candidate}: the service refused it"
    assert [(one.version, one.to) for one in rollbacks(registry)] == [(candidate, serving)]

    ended = pipeline(tmp_path, fits).run()
    assert (ended.verdict, registry.current()) == ("kept", serving)
    assert ended.message == f"{candidate} is not promoted: it was rolled back before"

    (registry.folder / "rollbacks.jsonl").unlink()

    def fall(before: str, after: str, promoted: datetime) -> str | None:
        assert promoted.tzinfo is not None
        watched.append((before, after))
        return "clicks 30.0% → 10.0%"

    ended = pipeline(tmp_path, fits, confirm=lambda _: None, watch=fall).run()
    assert (ended.verdict, watched, registry.current()) == ("rolled back", [(serving, candidate)], serving)
    (registry.folder / "rollbacks.jsonl").unlink()
    ended = pipeline(tmp_path, fits, confirm=lambda _: None, watch=lambda *_: None).run()
    assert (ended.verdict, registry.current()) == ("promoted", candidate)


def test_what_serves_already_is_not_promoted_again(
    tmp_path: Path, fits: Fits, two_models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_dataset(tmp_path)
    without_training(tmp_path, two_models[0], monkeypatch)
    ended = pipeline(tmp_path, fits).run()
    assert (ended.verdict, ended.message) == ("kept", f"training gave {two_models[0]} again")
    assert len(Registry(tmp_path / "models").promotions()) == 1


def test_promotion_by_another_process_is_not_undone(
    tmp_path: Path, fits: Fits, two_models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_dataset(tmp_path)
    _, candidate = two_models
    without_training(tmp_path, candidate, monkeypatch)
    run = pipeline(tmp_path, fits)
    monkeypatch.setattr(Registry, "current", lambda _: "another" if "evaluate" in names(run) else two_models[0])
    with pytest.raises(ArtefactError, match="another was promoted while") as caught:
        run.run()
    assert caught.value.hint == "compare with it in a new run: gars pipeline run --fresh"
    with pytest.raises(ArtefactError, match="was to be rolled back, but another serves"):
        roll_back(Registry(tmp_path / "models"), version=candidate, to=two_models[0], why="x")


def names(run: Pipeline) -> list[str]:
    return [step.name for step in run.journal.steps()]


def test_a_failed_step_is_tried_again_and_the_others_are_not(tmp_path: Path, fits: Fits) -> None:
    small_dataset(tmp_path)

    def full(*_: Any, **__: Any) -> Recommender:
        raise StorageError("the disk is full", hint="free some space")

    first = pipeline(tmp_path, full)
    with pytest.raises(GarsError, match="the disk is full"):
        first.run()
    assert write(first.journal).outcome == "train failed: the disk is full; the same command goes on there"
    second = pipeline(tmp_path, fits)
    assert second.journal.folder == first.journal.folder
    assert second.run().verdict == "promoted"
    done = [line.name for line in RunJournal(first.journal.folder).lines if isinstance(line, Step)]
    assert done == ["start", "validate", "snapshot", "train", "evaluate", "promote"], "each once"


def test_runs_differ_by_their_options(tmp_path: Path) -> None:
    first, goes_on = open_run(tmp_path, {"seed": 0})
    assert not goes_on
    assert open_run(tmp_path, {"seed": 0}) != (first, False)
    assert open_run(tmp_path, {"seed": 0})[0].folder == first.folder
    other, goes_on = open_run(tmp_path, {"seed": 1})
    assert (other.folder == first.folder, goes_on) == (False, False)
    fresh, _ = open_run(tmp_path, {"seed": 1}, fresh=True)
    assert [one.folder for one in runs(tmp_path)] == [first.folder, other.folder, fresh.folder]


def test_a_cut_line_is_dropped_and_a_damaged_one_named(tmp_path: Path) -> None:
    journal = RunJournal(tmp_path)
    journal.append(Begun(asked={}, time="now"))
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes() + b'{"type":"step","na')
    found = RunJournal(tmp_path)
    assert found.lines == [Begun(asked={}, time="now")]
    assert path.read_bytes().endswith(b'"na'), "a reader changes nothing"
    found.append(Begun(asked={}, time="later"))
    assert RunJournal(tmp_path).lines == [Begun(asked={}, time="now"), Begun(asked={}, time="later")]
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(InvalidInputError, match=r"line 2 of .* is damaged") as caught:
        RunJournal(tmp_path)
    assert caught.value.hint == "begin anew with: gars pipeline run --fresh"


def test_held_out_users_stay_the_same_when_others_come(tmp_path: Path) -> None:
    interactions, _ = small_world()
    rows = interactions.rename({"item_id": "anime_id"})
    chosen = holdout_users.choose(rows)
    assert 30 <= len(chosen) <= 45
    more = pl.concat([rows, rows.with_columns(pl.col("user_id") + 1000)])
    assert set(holdout_users.choose(more).tolist()) & set(range(150)) <= set(chosen.tolist())
    judged = holdout_users.hide(rows, chosen.tolist())
    for user, case, hidden in zip(judged.users, judged.cases, judged.hidden_ids, strict=True):
        own = set(rows.filter(pl.col("user_id") == int(user))["anime_id"].to_list())
        shown = {one.anime_id for one in case.history}
        assert len(shown) == 16
        assert not shown & set(hidden.tolist())
        assert set(case.targets.tolist()) <= set(hidden.tolist()) <= own
