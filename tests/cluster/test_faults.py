"""Engines and services killed one at a time under load: lists always come, and every acknowledged click counts once."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from gars.adapters.redis.state_store import RedisStateStore
from gars.config import from_environment
from gars.entrypoints.stack import plan
from gars.entrypoints.stack.running import Running
from gars.entrypoints.stack.services import GARS
from gars.testing import patience

PARTS = ["kafka", "redis", "cassandra", "flink", "history", "clicks", "recall", "rank", "api"]
USERS = [f"fan-{number}" for number in range(20)]
READERS = 2


until = partial(patience.until, within_s=240)


class Load:
    """Clicks that are sent again until they are acknowledged, and readers who note how they were answered."""

    def __init__(self, clicks: str, api: str) -> None:
        self.acknowledged: dict[str, set[str]] = defaultdict(set)
        self.refused: Counter[int] = Counter()
        self.answers: Counter[int] = Counter()
        self.fallbacks: Counter[str | None] = Counter()
        self.slowest_s = 0.0
        self._takers, self._api = (clicks, api), api
        self._counting = threading.Lock()
        self._ended = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._click, args=(number,)) for number in range(len(self._takers))),
            *(threading.Thread(target=self._read, args=(number,)) for number in range(READERS)),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def counts(self) -> dict[str, int]:
        """Clicks acknowledged so far, by user."""
        return {user: len(self.acknowledged[user]) for user in USERS}

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _click(self, taker: int) -> None:
        """Each taker has users of its own, so that no two threads write one set."""
        mine = USERS[taker :: len(self._takers)]
        number = 0
        with httpx.Client(base_url=self._takers[taker], timeout=60) as client:
            while not self._ended.wait(0.02):
                number += 1
                user_id, event_id = mine[number % len(mine)], uuid.uuid4().hex
                body = {"event_id": event_id, "user_id": user_id, "anime_id": 1, "kind": "click"}
                while (status := self._post(client, body)) != 202:
                    with self._counting:
                        self.refused[status] += 1
                    if self._ended.wait(0.2):
                        return  # never acknowledged: it may count or not
                self.acknowledged[user_id].add(event_id)

    def _post(self, client: httpx.Client, body: dict[str, object]) -> int:
        try:
            return client.post("/api/v1/interactions", json=body).status_code
        except httpx.TransportError:
            return 0

    def _read(self, reader: int) -> None:
        number = reader
        with httpx.Client(base_url=self._api, timeout=60) as client:
            while not self._ended.wait(0.05):
                number += READERS
                began = time.monotonic()
                answer = client.get(f"/api/v1/users/{USERS[number % len(USERS)]}/recommendations")
                with self._counting:
                    self.answers[answer.status_code] += 1
                    self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                    if answer.status_code == 200:
                        self.fallbacks[answer.json()["fallback"]] += 1


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def stack(home: Path, engines: Path) -> Iterator[dict[str, Running]]:
    settings = from_environment({"GARS_ENGINES": str(engines)}, home=home)
    ports = plan.ports_of(settings, free=True)
    plan.keep_ports(settings, ports)
    parts = plan.stack_of(settings, ports, options=["--engine-factory", "gars.testing.engine:make"]).chosen(PARTS)
    running = {part.name: Running(part) for part in parts}
    try:
        for one in running.values():
            one.up()
        yield running
    finally:
        for one in reversed(running.values()):
            one.down()


def test_each_is_killed_under_load(stack: dict[str, Running], home: Path) -> None:
    settings = from_environment({}, home=home)
    ports = plan.ports_of(settings)
    variables = plan.stack_of(settings, ports).environment
    load = Load(f"http://127.0.0.1:{ports.clicks}", f"http://127.0.0.1:{ports.api}")
    with closing(RedisStateStore(variables["GARS_STATE_STORE"])) as states:

        def goes_on(what: str) -> None:
            """Clicks sent from now on are in the states, and lists are ranked."""
            before, ranked = load.counts, load.fallbacks[None]
            until(lambda: all(load.counts[user] > before[user] for user in USERS), f"clicks to be taken after {what}")
            counts = load.counts
            until(lambda: held(states, counts), f"states after {what}")
            until(lambda: load.fallbacks[None] > ranked, f"ranked lists after {what}")

        def killed(name: str, process: str | None = None, *, meanwhile: str | None = None) -> None:
            began = time.monotonic()
            stack[name].daemon(process or name).kill()
            if meanwhile is not None:  # it is away until lists say so
                before = load.fallbacks[meanwhile]
                until(lambda: load.fallbacks[meanwhile] > before, f"lists that say {meanwhile}")
            if name == "redis":
                shutil.rmtree(stack[name].engine.data)
            stack[name].up()
            if name == "redis":
                done = gars(variables, "replay", "--from", "kafka", "--to", "redis")
                assert done.returncode == 0, done.stderr
            goes_on(f"{name} was killed")
            print(f"{process or name} killed: all goes on after {time.monotonic() - began:.1f} s")

        try:
            goes_on("the start")
            killed("flink", "taskmanager")
            killed("kafka")
            killed("redis")
            killed("recall", meanwhile="similar")
            killed("rank", meanwhile="retrieval")
            killed("clicks")
            killed("history")
            stack["cassandra"].daemon("cassandra").kill()
            goes_on("Cassandra was killed")  # while it is away
            stack["cassandra"].up()
        finally:
            load.stop()
        print(f"{sum(load.counts.values())} clicks, refused {dict(load.refused)}; answers {dict(load.answers)}, "
              f"fallbacks {dict(load.fallbacks)}, slowest {load.slowest_s:.1f} s")  # fmt: skip

        assert set(load.answers) == {200}, load.answers
        counts = load.counts
        until(lambda: held(states, counts), "the last states")
        for user, ids in load.acknowledged.items():
            state = states.get(user)
            assert state is not None
            unsure = state.version - len(ids)  # the click under way when the load ended
            assert 0 <= unsure <= 1, (user, state.version, len(ids))
            assert len(set(state.recent_event_ids)) == len(state.recent_event_ids)
            assert len(ids - set(state.recent_event_ids)) == max(0, len(ids) + unsure - len(state.recent_event_ids))

    done = gars(variables, "replay", "--from", "kafka", "--check")  # bit for bit what the log says
    assert done.returncode == 0, done.stdout + done.stderr
    with httpx.Client(base_url=f"http://127.0.0.1:{ports.api}", timeout=60) as client:
        for user, ids in load.acknowledged.items():
            until(lambda: ids <= exported(client, user), f"the history of {user} in Cassandra")  # noqa: B023


def gars(variables: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GARS, *words], env={**os.environ, **variables}, capture_output=True, text=True, check=False)


def held(states: RedisStateStore, counts: Mapping[str, int]) -> bool:
    found = states.get_many(list(counts))
    return all(user in found and found[user].version >= count for user, count in counts.items())


def exported(client: httpx.Client, user_id: str) -> set[str]:
    """Ids of the history; raises if one is in it twice."""
    answer = client.get(f"/api/v1/users/{user_id}/export")
    if answer.status_code != 200:
        return set()
    ids = [str(event["event_id"]) for event in answer.json()["interactions"]]
    assert len(set(ids)) == len(ids)
    return set(ids)
