"""``gars train`` on a snapshot and from the log: what it trains on, and what it says it did."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gars.datasets import snapshots
from gars.datasets.dataset import SourceUsed
from gars.datasets.thresholds import Thresholds
from gars.datasets.writing import write_dataset
from gars.domain.errors import GarsError
from gars.entrypoints.cli.app import app
from gars.library.registry import Registry
from gars_test_support.datasets import tiny_dataset


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GARS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def gars(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_model_leads_back_to_its_snapshot_and_its_sources(home: Path) -> None:
    made = tiny_dataset(home)
    sourced = write_dataset(
        home / "data" / "sourced",
        name="sourced",
        dialect="gars",
        simulated=True,
        sources=[SourceUsed("ratings.csv", "ab" * 32)],
        parts=[made.interactions().collect()],
        catalogue=made.catalogue(),
    )
    taken = snapshots.take(home, sourced, Thresholds(), now=datetime.now(UTC))
    result = gars("train", "--snapshot", taken.hash[:10], "--quick", "--no-log")
    assert result.exit_code == 0, (result.output, result.exception)
    (manifest,) = Registry(home / "models").versions()
    assert manifest.data["content_hash"] == taken.hash
    assert manifest.data["sources"] == {"ratings.csv": "ab" * 32}
    assert manifest.data["snapshot"]["taken_of"] == sourced.content_hash
    assert manifest.data["snapshot"]["parent"] is None

    both = gars("train", "--snapshot", taken.hash, "--data", "tiny")
    assert isinstance(both.exception, GarsError)
    assert both.exception.message == "--data and --snapshot both say what to train on"
    gone = gars("train", "--snapshot", "0000")
    assert isinstance(gone.exception, GarsError)
    assert gone.exception.message == "no snapshot begins with '0000'"


def test_log_with_too_few_lists_is_reported(home: Path) -> None:
    tiny_dataset(home)
    result = gars("train", "--from-log", "--no-log", "--quick")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "0 of 0 logged lists say what was passed by for what: fewer than 200" in result.output
    (manifest,) = Registry(home / "models").versions()
    assert manifest.data["from_log"] == {"lists": 0, "places": 0, "blended": False}
