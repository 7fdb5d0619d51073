"""The operator sees the newest validation with its drift, the runs of the pipeline, and how the model was trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from litestar.testing import TestClient

from gars.bootstrap import open_service
from gars.config import from_environment
from gars.datasets import snapshots, validations
from gars.datasets.thresholds import Thresholds
from gars.entrypoints.api.app import create_app
from gars.library import artefact
from gars.pipeline.comparison import Compared, decide
from gars.pipeline.journal import Begun, Ended, Failed, RunJournal, Step
from gars.testing.engine import FakeEngine
from gars_test_support.datasets import dataset_of, small_dataset
from gars_test_support.world import small_world

Client = Any
ADMIN = "admin-secret-word-2"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = Thresholds()


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Client]:
    service = open_service(from_environment({"GARS_ADMIN_TOKEN": ADMIN}, home=tmp_path), FakeEngine())
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {ADMIN}"
        yield client
    service.close()


def quality(operator: Client, path: str) -> Any:
    answer = operator.get(f"/api/v1/admin/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def worse_dataset(home: Path) -> Any:
    """Half of the users are gone, and everybody rates four points lower."""
    interactions, catalogue = small_world()
    fewer = interactions.filter(pl.col("user_id") % 2 == 0).with_columns((pl.col("rating") - 4).clip(1, 10))
    return dataset_of(home / "data" / "worse", fewer, catalogue)


def test_nothing_yet(operator: Client) -> None:
    assert quality(operator, "validation") == {"latest": None}
    assert quality(operator, "runs") == {"runs": []}
    assert quality(operator, "training") == {"latest": None}


def test_the_accepted_snapshot_is_a_validation(operator: Client, tmp_path: Path) -> None:
    taken = snapshots.take(tmp_path, small_dataset(tmp_path), LIMITS, now=NOW)
    latest = quality(operator, "validation")["latest"]
    assert latest["content_hash"] == taken.hash
    assert (latest["accepted"], latest["faults"], latest["drift"]) == (True, [], None)
    assert sum(latest["ratings"]) == pytest.approx(latest["rows"] * (1 - latest["unrated_share"]))
    assert all(check["passed"] and check["says"] for check in latest["checks"])


def test_drift_against_it_after_a_validation_by_hand(operator: Client, tmp_path: Path) -> None:
    before = snapshots.take(tmp_path, small_dataset(tmp_path), LIMITS, now=NOW)
    validations.keep(tmp_path, snapshots.validation_of(tmp_path, worse_dataset(tmp_path), LIMITS))
    latest = quality(operator, "validation")["latest"]
    assert (latest["dataset"], latest["accepted"]) == ("worse", False)
    failed = {check["name"] for check in latest["checks"] if not check["passed"]}
    assert {"rating_shift", "mean_rating_change", "users_lost"} <= failed
    drift = latest["drift"]
    assert drift["before"] == before.hash
    moved = {one["name"]: (one["before"], one["now"]) for one in drift["moved"]}
    assert moved["users"][0] > moved["users"][1] > 0
    assert moved["mean_rating"][0] > moved["mean_rating"][1]
    assert sum(drift["ratings_before"]) > sum(latest["ratings"])


def test_the_newest_file_counts_and_a_damaged_one_is_named(operator: Client, tmp_path: Path) -> None:
    validations.keep(tmp_path, snapshots.validation_of(tmp_path, small_dataset(tmp_path), LIMITS))
    of_a_run = tmp_path / "pipeline" / "20260102-000000-01" / "validation.json"
    of_a_run.parent.mkdir(parents=True)
    of_a_run.write_bytes(
        msgspec.json.encode(snapshots.validation_of(tmp_path, small_dataset(tmp_path, "other"), LIMITS))
    )
    os.utime(of_a_run, (1, 1))
    assert quality(operator, "validation")["latest"]["dataset"] == "small"
    os.utime(of_a_run, (5_000_000_000, 5_000_000_000))
    assert quality(operator, "validation")["latest"]["dataset"] == "other"
    of_a_run.write_bytes(b"{")
    os.utime(of_a_run, (5_000_000_000, 5_000_000_000))
    answer = operator.get("/api/v1/admin/validation")
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert "validation.json: is damaged" in error["message"]
    assert error["hint"] == "make a new one with: gars data validate"


def step(name: str, **output: Any) -> Step:
    return Step(name=name, key=name, output=output, seconds=1.5, peak_mb=300.0, time="2026-01-02T00:00:00+00:00")


def test_runs_with_their_steps_and_verdict(operator: Client, tmp_path: Path) -> None:
    compared = Compared(metric="ndcg@10", candidate=0.31, other=0.3, gain=0.01, low=0.002, high=0.02, guarded=True)
    verdict = msgspec.to_builtins(decide([compared], against="abc", users=200))
    one = RunJournal(tmp_path / "pipeline" / "20260102-000000-01")
    for line in (
        Begun(asked={}, time="2026-01-01T00:00:00+00:00"),
        step("start"),
        step("evaluate", **verdict),
        Ended(verdict="promoted", message="def serves", time="2026-01-02T00:00:00+00:00"),
    ):
        one.append(line)
    two = RunJournal(tmp_path / "pipeline" / "20260103-000000-01")
    two.append(Begun(asked={"spider": "anime"}, time="2026-01-03T00:00:00+00:00"))
    two.append(step("start"))
    third = RunJournal(tmp_path / "pipeline" / "20260104-000000-01")
    third.append(Begun(asked={}, time="2026-01-04T00:00:00+00:00"))
    third.append(Failed(name="train", message="the disk is full", time="2026-01-04T00:00:00+00:00"))
    newest, open_run, oldest = quality(operator, "runs")["runs"]
    assert (newest["state"], newest["message"]) == ("failed", "the disk is full")
    assert [(one["name"], one["state"], one["message"]) for one in newest["steps"]] == [
        ("train", "failed", "the disk is full")
    ]
    assert (open_run["state"], [one["name"] for one in open_run["steps"]]) == ("open", ["start"])
    assert "asked" not in open_run, "paths of the machine are not for afar"
    assert (oldest["state"], oldest["verdict"]["compared"][0]["gain"]) == ("promoted", 0.01)
    assert oldest["steps"][0]["seconds"] == 1.5


def test_a_damaged_journal_is_named(operator: Client, tmp_path: Path) -> None:
    (tmp_path / "pipeline" / "run").mkdir(parents=True)
    (tmp_path / "pipeline" / "run" / "journal.jsonl").write_bytes(b"nonsense\n")
    answer = operator.get("/api/v1/admin/runs")
    assert answer.status_code == 409
    assert "is damaged" in answer.json()["error"]["message"]


def test_how_the_newest_model_was_trained(operator: Client, tmp_path: Path) -> None:
    facts: dict[str, Any] = {"seed": 3, "config": {}, "features": ["a", "b"], "metrics": {"loss": 2.0}}
    curves = {"loss": [3.0, 2.0], "val_loss": [3.1, 2.5]}
    for day, about in ((1, {}), (2, {"curves": curves})):
        artefact.write(
            tmp_path / "models" / f"m{day}",
            {"x": b"x" * day},
            created=f"2026-01-0{day}T00:00:00+00:00",
            data={"name": "small", "users": 5, "items": 4, "rows": 9},
            **facts,
            **about,
        )
    latest = quality(operator, "training")["latest"]
    assert (latest["curves"], latest["metrics"], latest["features"]) == (curves, {"loss": 2.0}, 2)
    assert (latest["data"], latest["users"], latest["anime"], latest["interactions"]) == ("small", 5, 4, 9)
