"""Engines and services killed one at a time under load: lists always come, and every acknowledged click counts once."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from gars.adapters.redis.state_store import RedisStateStore
from gars.config import from_environment
from gars.stack import plan
from gars.stack.running import Running
from gars.stack.services import GARS
from gars_test_support import patience
from gars_test_support.load import Load

PARTS = ["kafka", "redis", "cassandra", "flink", "history", "clicks", "recall", "rank", "api"]
USERS = [f"fan-{number}" for number in range(20)]


until = partial(patience.until, within_s=240)


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
    api = f"http://127.0.0.1:{ports.api}"
    load = Load([f"http://127.0.0.1:{ports.clicks}", api], api, USERS)
    with closing(RedisStateStore(variables["GARS_STATE_STORE"])) as states:

        def goes_on(what: str) -> None:
            """Clicks sent from now on are in the states, and lists are ranked."""
            before, ranked = load.counts, load.fallbacks[None]
            until(lambda: all(load.counts[user] > before[user] for user in USERS), f"clicks to be taken after {what}")
            counts = load.counts
            until(lambda: held(states, counts), f"states after {what}")
            until(lambda: load.fallbacks[None] > ranked, f"ranked lists after {what}")

        def killed(name: str, process: str | None = None, *, fallback: str | None = None) -> None:
            began = time.monotonic()
            stack[name].daemon(process or name).kill()
            if fallback is not None:  # it is away until lists say so
                before = load.fallbacks[fallback]
                until(lambda: load.fallbacks[fallback] > before, f"lists that say {fallback}")
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
            killed("recall", fallback="similar")
            killed("rank", fallback="retrieval")
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
