"""``gars pipeline``, as it is typed."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.datasets import snapshots
from gars.datasets.forgotten import forget
from gars.datasets.identities import name_hasher
from gars.domain import user_state
from gars.domain.errors import GarsError
from gars.domain.interaction import Kind
from gars.domain.user_state import Row
from gars.entrypoints.cli import pipeline_world as world
from gars.entrypoints.cli.app import app
from gars.library.recommender import Recommender
from gars.library.registry import Promotion, Registry
from gars.pipeline.promotions import rollbacks
from gars.pipeline.runs import runs
from gars.runtime.progress import Silent
from gars.spider import permission
from gars.testing.contracts.impression_log import impression
from gars.testing.engine import FakeEngine
from gars.testing.events import event
from gars_test_support.anime_site import AnimeSite, serving
from gars_test_support.datasets import tiny_dataset
from gars_test_support.server import ServerProcess


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GARS_MIRROR", "GARS_SERVICE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GARS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def gars(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnimeSite]:
    pytest.importorskip("scrapy", reason="needs the spider extra")
    with serving(AnimeSite(titles=63)) as served:
        monkeypatch.setenv("GARS_SPIDER_SITE", served.address)
        monkeypatch.setenv("GARS_SPIDER_DELAY_MS", "0")
        yield served


@pytest.mark.slow
def test_from_a_site_to_a_model_that_serves_in_one_command(home: Path, site: AnimeSite) -> None:
    before = tiny_dataset(home)
    forget(home, [3])
    result = gars("pipeline", "run", "--spider", "anime --ids 1-3,61-63 --i-have-permission", "--quick")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "promoted: " in result.output
    (run,) = runs(home)
    assert [step.name for step in run.steps()] == [
        "start", "crawl", "merge", "validate", "snapshot", "train", "evaluate", "promote",
    ]  # fmt: skip
    accepted = snapshots.accepted(home)
    assert accepted is not None
    assert 3 not in snapshots.open_snapshot(home, accepted).interactions().collect()["user_id"].to_list()
    model = Recommender.load(home / "models" / "current")
    assert model.manifest is not None
    assert model.manifest.data["content_hash"] == accepted != before.content_hash
    assert list(model.manifest.data["sources"]) == ["crawl.jsonl"]
    titles = {one.anime_id: one for one in model.engine.anime}
    assert titles[62].title == "Title 62", "an anime that only the crawl knows"
    assert titles[62].studios == ("Studio 6",)
    assert model.similar(62, k=3), "by its content"
    shown = gars("pipeline", "status")
    assert run.folder.name in shown.output
    assert "promoted" in shown.output
    whole = gars("pipeline", "status", run.folder.name)
    assert "evaluate" in whole.output
    assert "ndcg@10" in whole.output
    report = json.loads(gars("pipeline", "status", "--json").output)
    assert report["verdict"]["promote"] is True
    assert (run.folder / "report.html").is_file()

    site.asked.clear()
    again = gars("pipeline", "run", "--spider", "anime --ids 1-3,61-63", "--quick")
    assert again.exit_code == 0, again.output
    assert "kept: nothing is new" in again.output
    assert not [path for path in site.paths() if path.startswith("/anime/")], "fresh pages are not asked for again"


@pytest.mark.slow
def test_who_was_deleted_at_the_service_is_in_no_later_model_and_no_later_crawl(
    home: Path, site: AnimeSite, tmp_path: Path
) -> None:
    tiny_dataset(home)
    home.mkdir(exist_ok=True)
    known, gone = name_hasher(home)(pl.Series(["Aki_Fox", "Gone_Person"])).to_list()
    entries = [{"anime_id": 1 + number, "anime_title": "x", "score": 8, "status": 2} for number in range(5)]
    site.lists = {"Aki_Fox": entries, "Gone_Person": entries}
    names = tmp_path / "names.txt"
    names.write_text("Aki_Fox\nGone_Person\n")
    site.robots = "User-agent: *\nAllow: /\n"
    permission.grant(home, site.address, datetime.now(UTC))
    first = gars("pipeline", "run", "--lists", str(names), "--quick")
    assert first.exit_code == 0, (first.output, first.exception)

    def held(folder: Path) -> set[int]:
        return set(Recommender.load(folder).user_ids.tolist())

    models = Registry(home / "models")
    before = models.current()
    assert {known, gone, 5} <= held(home / "models" / "current")

    service = open_service(from_environment({}, home=home), FakeEngine())
    for user in (gone, 5):
        service.states.put_initial([user_state.initial(str(user), [Row(1, 8)])])
        service.writer.call(lambda user=user: service.forget_user(str(user))).result(30)  # type: ignore[misc]
    service.close()

    site.asked.clear()
    second = gars("pipeline", "run", "--lists", str(names), "--quick")
    assert second.exit_code == 0, (second.output, second.exception)
    assert not any("Gone_Person" in path for path in site.paths())
    assert models.current() != before
    assert known in held(home / "models" / "current")
    assert not {gone, 5} & held(home / "models" / "current")
    accepted = snapshots.accepted(home)
    assert accepted is not None
    assert snapshots.read_snapshot(home, accepted).deleted_users >= 1


@pytest.mark.slow
def test_a_running_service_takes_up_what_a_run_promoted(home: Path) -> None:
    tiny_dataset(home)
    assert gars("pipeline", "run", "--quick").exit_code == 0
    first = Registry(home / "models").current()
    command = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve"]
    server = ServerProcess([*command, "--home", str(home), "--port", "0"])
    try:
        about = f"{server.address}/api/v1/about"
        assert httpx.get(about).json()["model"]["version"] == first
        tiny_dataset(home, "more", users=48)
        result = gars("pipeline", "run", "--data", "more", "--quick", "--service", server.address)
        assert result.exit_code == 0, f"{server.output}\n{result.exception}\n{result.output}"
        second = Registry(home / "models").current()
        assert second != first
        assert [step.name for step in runs(home)[-1].steps()][-2:] == ["promote", "swap"]
        assert httpx.get(about).json()["model"]["version"] == second
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


@pytest.mark.slow
def test_a_crawl_that_stops_is_gone_on_with(home: Path, site: AnimeSite) -> None:
    tiny_dataset(home)
    result = gars("pipeline", "run", "--spider", "anime --ids 1-3", "--quick")
    assert isinstance(result.exception, GarsError)
    assert result.exception.message.startswith("the spider stopped: ")
    assert "there is no permission to collect its pages" in result.exception.message
    assert result.exception.hint == "run the same command again: the crawl goes on where it was"
    assert "crawl failed" in gars("pipeline", "status").output


def test_what_cannot_be(home: Path) -> None:
    tiny_dataset(home)
    for words, message in {
        "--quick --config x.toml": "--quick and --config both say how to train",
        "--crawled gone.csv": "gone.csv: there is no such file",
        "--watch soon": "'soon' is not an age",
    }.items():
        result = gars("pipeline", "run", *words.split())
        assert isinstance(result.exception, GarsError), result.output
        assert message in result.exception.message
    unknown = gars("pipeline", "status", "2020")
    assert isinstance(unknown.exception, GarsError)
    assert unknown.exception.message == "0 runs begin with '2020'"
    assert "no run yet" in gars("pipeline", "status").output


def test_the_schedule_names_commands_that_exist(home: Path) -> None:
    result = gars("pipeline", "schedule", "--every", "weekly", "--options", "--quick --watch 2h")
    assert result.exit_code == 0
    assert "17 3 * * 1" in result.output
    assert "OnCalendar=Mon *-*-* 03:17" in result.output
    starts = [line.removeprefix("ExecStart=") for line in result.output.splitlines() if line.startswith("ExecStart=")]
    assert [shlex.split(line)[1:] for line in starts] == [
        ["pipeline", "run", "--quick", "--watch", "2h"],
        ["pipeline", "watch"],
    ]
    wrong = gars("pipeline", "schedule", "--every", "hourly")
    assert isinstance(wrong.exception, GarsError)
    assert wrong.exception.message == "--every 'hourly' is not known"


def plant(home: Path, versions: tuple[str, str], promoted: datetime, clicked: tuple[int, int]) -> None:
    """200 lists of each version to 20 users; so many of the first and of the second, drawn at random, were clicked."""
    rng = np.random.default_rng(0)
    impressions = SqliteImpressionLog(home / "impressions.sqlite")
    log = SqliteEventLog(home / "gars.sqlite")
    for place, (version, count) in enumerate(zip(versions, clicked, strict=True)):
        start = promoted + timedelta(hours=1 if place else -8)
        drawn = set(rng.choice(200, count, replace=False).tolist())
        for number in range(200):
            at = start + timedelta(minutes=number)
            request, user = f"{version}-{number}", f"u{number // 10}"
            one = impression(request, user, at=at)
            impressions.append([msgspec.structs.replace(one, model_version=version)])
            if number in drawn:
                made = event(user, 5, Kind.CLICK, at=at + timedelta(minutes=1))
                log.append([msgspec.structs.replace(made, request_id=request)])
    impressions.close()
    log.close()


@pytest.fixture
def promoted(home: Path, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """``new`` took the place of ``old`` ten hours ago; there are no files of either."""
    when = datetime.now(UTC) - timedelta(hours=10)
    models = home / "models"
    for name in ("old", "new"):
        (models / name).mkdir(parents=True)
    (models / "current").symlink_to("new")
    lines = [Promotion("old", "2026-01-01T00:00:00+00:00"), Promotion("new", when.isoformat())]
    (models / "promotions.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    def promote(registry: Registry, version: str) -> Any:
        (registry.folder / "current").unlink()
        (registry.folder / "current").symlink_to(version)

    monkeypatch.setattr(Registry, "promote", promote)
    return when


def test_a_planted_fall_is_rolled_back(home: Path, promoted: datetime) -> None:
    plant(home, ("old", "new"), promoted, clicked=(80, 20))
    result = gars("pipeline", "watch")
    assert isinstance(result.exception, GarsError)
    assert result.exception.message.startswith("old serves again in place of new: clicks 40.0% → 10.0% (change -")
    registry = Registry(home / "models")
    assert registry.current() == "old"
    assert [(one.version, one.to) for one in rollbacks(registry)] == [("new", "old")]
    assert "rolled back" in gars("pipeline", "status").output


def test_what_did_not_fall_goes_on(home: Path, promoted: datetime) -> None:
    plant(home, ("old", "new"), promoted, clicked=(80, 75))
    result = gars("pipeline", "watch")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "new goes on" in result.output
    assert "40.0%" in result.output
    assert Registry(home / "models").current() == "new"


def test_too_few_lists_have_no_result(home: Path, promoted: datetime) -> None:
    result = gars("pipeline", "watch")
    assert result.exit_code == 0
    assert "too few lists to compare" in result.output


def test_nothing_to_watch(home: Path) -> None:
    assert "nothing to watch" in gars("pipeline", "watch").output


def test_watching_looks_until_the_time_is_over(home: Path, promoted: datetime) -> None:
    plant(home, ("old", "new"), promoted, clicked=(80, 20))
    look = world.looker(home, "old", "new", promoted)
    assert "clicks" in str(world.watch(look, until=promoted, every=timedelta(), progress=Silent()))
    times = iter([promoted + timedelta(hours=hour) for hour in range(20)])
    waited: list[float] = []
    quiet = world.looker(home, "old", "unserved", promoted)
    end = promoted + timedelta(hours=6)
    every = timedelta(minutes=5)
    found = world.watch(quiet, until=end, every=every, progress=Silent(), clock=lambda: next(times), wait=waited.append)
    assert found is None
    assert waited == [300.0, 300.0, 300.0], "the clock is read twice a round"
