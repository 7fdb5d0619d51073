"""A real server is killed while clients send: what it acknowledged is there afterwards, once."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.domain import user_state
from gars.domain.user_state import UserState
from gars.testing.events import clicks
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess

Start = Callable[..., ServerProcess]

BATCH = 10
N_CLIENTS = 4
ANIME = (1, 5, 1535, 5114)


class Client(threading.Thread):
    """Sends batches of clicks until the server is gone; remembers what was acknowledged."""

    def __init__(self, address: str, name: str, after_each: Callable[[], None] = lambda: None) -> None:
        super().__init__(name=name)
        self.address, self.after_each = address, after_each
        self.acknowledged: list[str] = []

    def run(self) -> None:
        with httpx.Client(base_url=self.address) as http:
            for number in range(500):
                try:
                    answer = http.post("/api/v1/interactions", json={"events": batch(self.name, number)})
                except httpx.HTTPError:
                    return
                assert answer.status_code == 202, answer.text
                self.acknowledged.extend(answer.json()["accepted"])
                self.after_each()


def batch(client: str, number: int) -> list[dict[str, object]]:
    return [
        {
            "user_id": f"user-{client}",
            "anime_id": ANIME[i % len(ANIME)],
            "kind": "click",
            "event_id": f"{client}-{number}-{i}",
            "event_time": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}.{i:03}Z",
        }
        for i in range(BATCH)
    ]


def send_until_it_dies(address: str, after_each: Callable[[], None] = lambda: None) -> set[str]:
    clients = [Client(address, str(number), after_each) for number in range(N_CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return {event_id for client in clients for event_id in client.acknowledged}


def check_after_restart(home: Path, acknowledged: set[str], start: Start) -> None:
    server = start(home)
    with httpx.Client(base_url=server.address) as http:
        assert http.get("/api/v1/health/ready").json()["status"] == "ready"
        again = http.post("/api/v1/interactions", json={"events": batch("0", 0)}).json()
        assert again["duplicates"] == BATCH, "what was acknowledged is known by its id"
    assert server.stop() == 0
    path = home / "gars.sqlite"
    with closing(SqliteEventLog(path)) as log, closing(SqliteStateStore(path)) as states:
        events = [event for _, event in log.read()]
        ids = [event.event_id for event in events]
        assert acknowledged <= set(ids)
        assert len(ids) == len(set(ids))
        for user_id in {event.user_id for event in events}:
            own = [event for event in events if event.user_id == user_id]
            assert states.get(user_id) == user_state.fold(UserState(user_id=user_id), own)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_killed_after_each_step(tmp_path: Path, start: Start, step: int) -> None:
    server = start(tmp_path, kill_at=(step, 110))
    acknowledged = send_until_it_dies(server.address)
    assert server.wait() == -signal.SIGKILL
    assert len(acknowledged) >= 1000
    check_after_restart(tmp_path, acknowledged, start)


@pytest.mark.slow
def test_killed_from_outside_in_full_flow(tmp_path: Path, start: Start) -> None:
    server = start(tmp_path)
    enough = threading.Semaphore(0)
    killer = threading.Thread(target=lambda: ([enough.acquire() for _ in range(100)], server.stop(signal.SIGKILL)))
    killer.start()
    acknowledged = send_until_it_dies(server.address, after_each=enough.release)
    killer.join()
    assert len(acknowledged) >= 1000
    check_after_restart(tmp_path, acknowledged, start)


@pytest.mark.slow
def test_sigterm_in_full_flow_ends_cleanly(tmp_path: Path, start: Start) -> None:
    server = start(tmp_path)
    enough = threading.Semaphore(0)
    stopper = threading.Thread(target=lambda: ([enough.acquire() for _ in range(30)], server.stop(signal.SIGTERM)))
    stopper.start()
    acknowledged = send_until_it_dies(server.address, after_each=enough.release)
    stopper.join()
    assert server.process.returncode == 0
    assert server.output.endswith("stopped\n")
    assert "Traceback" not in server.output
    check_after_restart(tmp_path, acknowledged, start)


@pytest.mark.slow
def test_killed_while_lost_states_are_rebuilt(tmp_path: Path, start: Start) -> None:
    """Lists hold every event and clicks are taken during the rebuild, which goes on where it was killed."""
    names = [f"user-{number:05d}" for number in range(3_000)]
    with closing(SqliteEventLog(tmp_path / "gars.sqlite")) as log:
        for name in names:
            log.append(clicks(20, user_id=name))
    server = start(tmp_path)
    enough = threading.Semaphore(0)
    killer = threading.Thread(target=lambda: ([enough.acquire() for _ in range(20)], server.stop(signal.SIGKILL)))
    killer.start()
    with httpx.Client(base_url=server.address) as http:
        last = http.get(f"/api/v1/users/{names[-1]}/recommendations").json()
        warned = http.get("/api/v1/health/ready").json()["warnings"]
    acknowledged = send_until_it_dies(server.address, after_each=enough.release)
    killer.join()
    assert last["version"] == 20
    assert "being rebuilt from the event log" in warned["state"]
    assert "rebuilt the user states" not in server.output
    assert len(acknowledged) >= 200

    again = start(tmp_path)
    with httpx.Client(base_url=again.address) as http:
        until(lambda: "state" not in http.get("/api/v1/health/ready").json()["warnings"], within_s=60)
    assert again.stop() == 0
    rebuilt = re.search(r"rebuilt the user states from (\d+) event", again.output)
    assert rebuilt is not None
    assert 0 < int(rebuilt[1]) < 60_000, "users who were rebuilt before the kill are not folded again"
    check_after_restart(tmp_path, acknowledged, start)
