"""A real TensorBoard reads back what a training and a search have logged; TensorFlow is not there to help."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from gars.adapters.tensorboard.sessions import Sessions
from gars.application.trials import Outcome, Trial
from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.datasets.splits import HeldOutUser, LikeSplit, TopNSplit
from gars.entrypoints.cli import app as cli
from gars.entrypoints.cli import train as train_module
from gars.entrypoints.cli import tune as tune_module
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world

pytest.importorskip("tensorboard", reason="the tensorboard extra is not installed")

QUICK = msgspec.structs.replace(SMALL, ranking=msgspec.structs.replace(SMALL.ranking, epochs=2))
SPACE = """
[ranking]
embedding = [4, 8]
learning_rate = { low = 1e-3, high = 1e-2, log = true }
hidden = [[16, 8], [32, 16]]
"""


def like_split(rows: pl.DataFrame) -> LikeSplit:
    rated = rows.drop_nulls("rating")
    part = np.random.default_rng(0).choice(["t", "v", "e"], rated.height, p=[0.8, 0.1, 0.1])
    return LikeSplit(rated["user_id"].to_numpy(), rated["anime_id"].to_numpy(), rated["rating"].to_numpy(), part)


def topn_split(rows: pl.DataFrame) -> TopNSplit:
    held = []
    for user in range(120, 150):
        liked = rows.filter((pl.col("user_id") == user) & (pl.col("rating") > 7))["anime_id"].to_numpy()
        held.append(HeldOutUser(user, liked[2:], liked[:2]))
    return TopNSplit(np.arange(120), np.unique(rows["anime_id"].to_numpy()), held[:15], held[15:])


def gars(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["gars", *words])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one training and one search of three trials, both over a small world."""
    folder = tmp_path_factory.mktemp("home")
    interactions, catalogue = small_world()
    interactions.write_csv(folder / "ratings.csv")
    catalogue.write_csv(folder / "catalogue.csv")
    dataset: Dataset = import_files(
        [folder / "ratings.csv", folder / "catalogue.csv"], home=folder, name="small", progress=Silent()
    )
    rows = dataset.interactions().collect()
    (folder / "space.toml").write_text(SPACE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GARS_HOME", str(folder))
        patch.setattr(train_module, "FitConfig", lambda: QUICK)
        patch.setattr(tune_module, "FitConfig", lambda: QUICK)
        patch.setattr(tune_module, "build_sample", lambda *_, **__: dataset)
        patch.setattr(tune_module, "fixed_topn_split", lambda *_, **__: topn_split(rows))
        patch.setattr(tune_module, "fixed_like_split", lambda *_, **__: like_split(rows))
        assert gars(patch, "train") == 0
        words = ("tune", "--trials", "2", "--space", str(folder / "space.toml"))
        assert gars(patch, *words, "--protocol", "B", "--protocol", "random") == 0
        others = Sessions(folder / "runs" / "other")
        failed = Outcome(trial=Trial(1, 0), settings={}, status="failed", seconds=1.0, error="ValueError: no")
        others.start(Trial(1, 0), {"ranking.epochs": 1}).end(failed)
        others.start(Trial(2, 0), {"ranking.epochs": 2}).stop()
        yield folder


@pytest.fixture(scope="module")
def board(home: Path) -> Iterator[str]:
    """The address of ``gars tensorboard --port 0``, with TensorFlow blocked."""
    script = (
        "import sys; sys.modules['tensorflow'] = None; sys.argv = ['gars', 'tensorboard', '--port', '0']\n"
        "from gars.entrypoints.cli.app import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", script],
        env={"GARS_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, (line, errors)
        yield found[0]
    finally:
        process.terminate()
        process.wait(30)
        reader.join(30)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def ask(board: str, route: str, body: dict[str, object] | None = None, **query: str) -> Any:
    address = f"{board}data/{route}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(address, json.dumps(body).encode() if body is not None else None)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read().decode()
    return json.loads(text) if text[:1] in "[{" else text


def until(board: str, route: str, right: Callable[[Any], bool], body: dict[str, object] | None = None) -> Any:
    """TensorBoard reads its folder in the background: ask until it has."""
    deadline = time.monotonic() + 60
    while True:
        found = ask(board, route, body)
        if right(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_the_training_has_its_curves(home: Path, board: str) -> None:
    (run,) = [path.name for path in (home / "runs").glob("train-*")]
    tags = until(board, "plugin/scalars/tags", lambda found: f"{run}/validation" in found)
    assert {"loss", "order loss", "like loss", "loss within epochs"} <= set(tags[f"{run}/train"])
    assert {"loss", "order loss", "like loss"} <= set(tags[f"{run}/validation"])
    assert set(tags[run]) == {"learning rate"}
    points = ask(board, "plugin/scalars/scalars", tag="loss", run=f"{run}/train")
    assert len(points) == QUICK.ranking.epochs
    assert points[-1][2] < points[0][2]
    histograms = until(board, "plugin/histograms/tags", lambda found: run in found)
    assert {"order_hidden_1/kernel", "item/embeddings", "order_head/kernel"} <= set(histograms[run])
    words = until(board, "plugin/text/tags", lambda found: run in found)
    assert set(words[run]) == {"configuration", "data", "results"}


def test_the_projector_has_the_titles_of_both_stages(home: Path, board: str) -> None:
    (run,) = [path.name for path in (home / "runs").glob("train-*")]
    runs = until(board, "plugin/projector/runs", lambda found: run in found)
    assert run in runs
    config = ask(board, "plugin/projector/info", run=run)
    shapes = {one["tensorName"]: one["tensorShape"] for one in config["embeddings"]}
    assert shapes == {"items-retrieval": [60, QUICK.retrieval.dim], "items-ranking": [60, QUICK.ranking.embedding]}
    words = ask(board, "plugin/projector/metadata", run=run, name="items-retrieval").splitlines()
    assert words[0] == "title\ttype\tgenres\tlists"
    assert words[1].startswith("Title 0\tMovie\t")
    assert len(words) == 61


def test_the_search_is_an_experiment_with_its_sessions(home: Path, board: str) -> None:
    journal = [msgspec.json.decode(line) for line in (home / "runs/tune/trials.jsonl").read_bytes().splitlines()[1:]]
    body = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 99,
    }
    groups = until(board, "plugin/hparams/session_groups", lambda found: found.get("totalSize") == len(journal), body)[
        "sessionGroups"
    ]
    experiment = until(board, "plugin/hparams/experiment", lambda found: "hparamInfos" in found, {"experimentName": ""})
    names = {one["name"] for one in experiment["hparamInfos"]}
    assert names == {
        "users", "ranking.embedding", "ranking.learning_rate", "ranking.hidden",  # of this search
        "ranking.epochs",  # of the other one in the folder
    }  # fmt: skip
    metrics = {one["name"]["tag"] for one in experiment["metricInfos"]}
    assert {"score", "seconds", "ndcg@100 B", "ndcg@100 B low", "ndcg@100 B high"} <= metrics
    assert {"auc random", "auc random low", "auc random high", "accuracy random", "ece random"} <= metrics
    shown = {}
    for group in groups:
        (session,) = group["sessions"]
        assert session["status"] == "STATUS_SUCCESS"
        values = {one["name"]["tag"]: one["value"] for one in session["metricValues"]}
        shown[session["name"].rpartition("/")[2]] = values
        assert values["ndcg@100 B low"] < values["ndcg@100 B"] < values["ndcg@100 B high"]
    for outcome in journal:
        trial = outcome["trial"]
        values = shown[f"trial-{trial['number']:03}-rung-{trial['rung']}"]
        assert values["score"] == pytest.approx(outcome["score"], rel=1e-5)
        assert values["ndcg@100 B"] == pytest.approx(outcome["metrics"]["ndcg@100 B"]["mean"], rel=1e-5)


@pytest.mark.parametrize(
    ("status", "session"), [("STATUS_FAILURE", "trial-001-rung-0"), ("STATUS_UNKNOWN", "trial-002-rung-0")]
)
def test_failed_or_stopped_trial_is_marked(board: str, status: str, session: str) -> None:
    body: dict[str, object] = {"experimentName": "", "allowedStatuses": [status], "colParams": [], "sliceSize": 99}
    found = until(board, "plugin/hparams/session_groups", lambda found: found.get("totalSize") == 1, body)
    (group,) = found["sessionGroups"]
    assert group["sessions"][0]["name"] == f"other/{session}"


def test_port_in_use_is_reported(home: Path, board: str) -> None:
    port, script = board.rstrip("/").rpartition(":")[2], "from gars.entrypoints.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, "tensorboard", "--port", port],
        env={**os.environ, "GARS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert f"TensorBoard could not listen on 127.0.0.1:{port}: " in done.stderr
    assert "another port: gars tensorboard --port 0" in done.stderr


def test_each_trial_has_its_curves(board: str) -> None:
    run = "tune/curves/trial-000-rung-1/random/validation"
    tags = until(board, "plugin/scalars/tags", lambda found: run in found)
    assert {"loss", "order loss", "like loss"} == set(tags[run])
