"""One recorded log of 200 users of the real sample, through the whole cluster and through one process.

Compared: states byte for byte, and every list with its scores, chances and reasons. The cluster is what `gars stack up`
starts: events by the clicks service, Kafka, Flink and Redis; lists by the api with recall and rank apart.
Not compared: who made an answer (its request id), and the quality of the model, which is a small one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from litestar.testing import TestClient

from gars import Recommender
from gars.adapters.redis.connection import connect
from gars.application.ports import Logged
from gars.bootstrap import Service, load_engine, open_service, training_data
from gars.config import from_environment
from gars.datasets.build import build_sample
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.datasets.recorded_log import read_log, write_log
from gars.domain import user_state
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import UserState
from gars.entrypoints.api.app import create_app
from gars.library.blas import one_thread
from gars.library.registry import Registry
from gars.pipeline.lineage import lineage
from gars.runtime.progress import Silent
from gars.stack import plan
from gars.stack.running import Running
from gars.testing.events import START
from gars_test_support.patience import until
from gars_test_support.world import SMALL

pytestmark = pytest.mark.sample

PARTS = ["kafka", "redis", "cassandra", "backfill", "flink", "clicks", "recall", "rank", "api"]
USERS = 200
FITTED, TITLES = 600, 1200
"""Users and titles of the small model."""
BATCH = 500
NO_HURRY = {"GARS_RANK_BUDGET_MS": "0", "GARS_RETRIEVAL_BUDGET_MS": "0"}
"""A list that is late on a busy machine would be another list."""


@pytest.fixture(scope="module")
def home(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample, and a model of some of it that names the sample as its data."""
    folder = tmp_path_factory.mktemp("recorded")
    dataset = build_sample(folder, mirror=mirror, progress=Silent())
    rows = dataset.interactions().collect()
    counted = rows.group_by("anime_id").len().sort("len", "anime_id", descending=True)
    known = pl.col("anime_id").is_in(counted["anime_id"].head(TITLES).to_list())
    some = rows.filter(known & (pl.col("user_id") <= FITTED))
    model = Recommender.fit(some, dataset.catalogue().filter(known), config=SMALL, progress=False)
    registry = Registry(folder / "models")
    registry.promote(registry.add(lambda target: model.save(target, data=lineage(dataset, model.config))).version)
    return folder


@pytest.fixture(scope="module")
def log(home: Path) -> list[Interaction]:
    """The recorded log, read back from its file."""
    dataset, path = Dataset.open(next((home / "data").iterdir())), home / "log.jsonl"
    engine, _ = load_engine(home / "models")
    events = happened(dataset, [anime.anime_id for anime in engine.anime])
    write_log(path, [Logged(event.user_id, number, event, number) for number, event in enumerate(events, 1)])
    return [record.event for record in read_log(path) if record.event is not None]


def happened(dataset: Dataset, titles: Sequence[int]) -> list[Interaction]:
    """Every second user goes on with the list the data set has of them; the others are strangers who bring it along."""
    chance = random.Random(13)
    events: list[Interaction] = []
    for number, (user_id, rows) in enumerate(islice(histories(dataset), USERS)):
        name = user_id if number % 2 else f"fan-{user_id}"
        own = [row for row in rows if row.anime_id in set(titles)]
        for row in chance.sample(own, min(30, len(own))):
            rating = chance.randint(1, 10) if number % 2 else row.rating
            rated = (Kind.STATUS, Status.COMPLETED) if rating is None else (Kind.RATE, rating)
            events.append(interaction(name, row.anime_id, *rated, at=len(events)))
        for _ in range(chance.randint(3, 15)):
            kind = chance.choice([Kind.CLICK, Kind.CLICK, Kind.LIKE, Kind.DISLIKE, Kind.SEEN, Kind.DISMISS])
            undo = kind is not Kind.CLICK and chance.random() < 0.2
            events.append(interaction(name, chance.choice(titles), kind, at=len(events), undo=undo))
    twice = events + chance.sample(events, len(events) // 10)
    chance.shuffle(twice)  # in time they overtake each other
    return twice


def interaction(
    user_id: str, anime_id: int, kind: Kind, value: int | Status | None = None, *, at: int, undo: bool = False
) -> Interaction:
    return Interaction(
        event_id=f"{user_id}-{at}",
        user_id=user_id,
        anime_id=anime_id,
        kind=kind,
        value=value,
        undo=undo,
        event_time=START + timedelta(seconds=at),
    )


@pytest.fixture(scope="module")
def ports(home: Path, engines: Path) -> Iterator[plan.Ports]:
    """Where the parts of a whole stack answer."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NO_HURRY.items():
            patch.setenv(name, value)  # the services inherit it
        settings = from_environment({"GARS_ENGINES": str(engines)}, home=home)
        found = plan.ports_of(settings, free=True)
        running = [Running(part) for part in plan.stack_of(settings, found).chosen(PARTS)]
        try:
            for one in running:
                one.up()
            yield found
        finally:
            for one in reversed(running):
                one.down()


@pytest.fixture(scope="module")
def alone(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The embedded profile over the same model and data."""
    folder = tmp_path_factory.mktemp("alone")
    for part in ("data", "models"):
        (folder / part).symlink_to(home / part)
    settings = from_environment(NO_HURRY, home=folder)
    engine, about = load_engine(settings.models)
    with (
        one_thread(),  # as in a served process: sums in another order round otherwise
        closing(open_service(settings, engine, about=about, dataset=training_data(settings, about))) as service,
    ):
        yield service


def send(client: Any, log: Sequence[Interaction]) -> int:
    """→ how many distinct events were acknowledged."""
    accepted: set[str] = set()
    for start in range(0, len(log), BATCH):
        events = [
            {
                "user_id": one.user_id,
                "anime_id": one.anime_id,
                "kind": one.kind,
                "value": one.value,
                "undo": one.undo,
                "event_id": one.event_id,
                "event_time": one.event_time.isoformat(),
            }
            for one in log[start : start + BATCH]
        ]
        answer = client.post("/api/v1/interactions", json={"events": events})
        assert answer.status_code == 202, answer.text
        accepted.update(answer.json()["accepted"])
    return len(accepted)


def shown(client: Any, user_id: str) -> dict[str, Any]:
    """A user's list as the api tells it."""
    answer = client.get(f"/api/v1/users/{user_id}/recommendations", params={"k": 50, "explain": "full"})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body.pop("request_id")
    return body


def test_states_and_lists_are_the_same(log: list[Interaction], ports: plan.Ports, alone: Service) -> None:
    users = sorted({event.user_id for event in log})
    assert len(users) == USERS
    distinct = len({event.event_id for event in log})
    assert distinct < len(log)
    with httpx.Client(base_url=f"http://127.0.0.1:{ports.clicks}", timeout=60) as clicks:
        assert send(clicks, log) == distinct
    with TestClient(create_app(alone), raise_server_exceptions=False) as here:
        assert send(here, log) == distinct

        expected = alone.states.get_many(users)
        assert all(state.version for state in expected.values())
        with closing(connect(f"redis://127.0.0.1:{ports.redis}/0")) as redis:

            def held(user_id: str, field: str) -> bytes:
                return redis.hget(f"gars:state:{{{user_id}}}", field) or b""

            until(
                lambda: all(held(user, "version") == str(expected[user].version).encode() for user in users),
                "all events to be in the states of Redis",
                within_s=300,
            )
            for user in users:
                assert held(user, "state") == user_state.encode(expected[user]), user

        known = [user for user in users if not user.startswith("fan-")]
        assert any(len(expected[user].opinions) > 50 for user in known)  # with the history of the data set
        with httpx.Client(base_url=f"http://127.0.0.1:{ports.api}", timeout=120) as there:
            for user in [*users, "unknown-user"]:
                one, other = shown(here, user), shown(there, user)
                assert one["fallback"] is None
                assert len(one["items"]) == 50
                assert one == other, user
            assert (
                there.get("/", params={"user_id": users[0]}).json()
                == here.get("/", params={"user_id": users[0]}).json()
            )


def test_a_state_that_is_another_makes_another_list(alone: Service) -> None:
    """The comparison above detects a single extra click."""
    with TestClient(create_app(alone), raise_server_exceptions=False) as here:
        before = shown(here, "fan-1")
        state = alone.states.get("fan-1") or UserState(user_id="fan-1")
        anime_id = before["items"][-1]["anime"]["anime_id"]
        click = interaction("fan-1", anime_id, Kind.CLICK, at=10**6)
        assert send(here, [click]) == 1
        assert shown(here, "fan-1")["items"] != before["items"]
        assert user_state.encode(alone.states.get("fan-1") or state) != user_state.encode(state)
