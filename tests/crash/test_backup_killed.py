"""Backups and restores are killed while a real server takes events: nothing that was acknowledged is missing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gars.adapters.embedded.event_log import SqliteEventLog
from gars.bootstrap import open_service
from gars.bootstrap.backup import MANIFEST
from gars.bootstrap.restore import verify
from gars.config import from_environment
from gars.domain import user_state
from gars.domain.user_state import UserState
from gars.testing.engine import FakeEngine
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess

BACK_UP = """
import os, signal, sys
from pathlib import Path
from gars.bootstrap.backup import back_up
from gars.config import from_environment
left = int(sys.argv[3])
def copied(name):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
back_up(from_environment({}, home=Path(sys.argv[1])), Path(sys.argv[2]), copied=copied)
"""
RESTORE = """
import os, signal, sys
from pathlib import Path
from gars.bootstrap.restore import restore
from gars.config import from_environment
def after(step):
    if step == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
restore(from_environment({}, home=Path(sys.argv[1])), Path(sys.argv[2]), replace=True, after_step=after)
"""


class Load(threading.Thread):
    """Sends events one after another until it is stopped; each must be acknowledged."""

    def __init__(self, address: str, user: str) -> None:
        super().__init__(name=user)
        self.address, self.user = address, user
        self.acknowledged: list[str] = []
        self.problems: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=60) as http:
            number = 0
            while not self.stopped.is_set():
                event_id = f"{self.user}-{number}"
                number += 1
                event = {"user_id": self.user, "anime_id": 1, "kind": "click", "event_id": event_id}
                answer = http.post("/api/v1/interactions", json={"events": [event]})
                if answer.status_code == 202:
                    self.acknowledged.append(event_id)
                else:
                    self.problems.append(answer.text)


def run(code: str, *arguments: object) -> int:
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], timeout=120, check=False).returncode


@pytest.mark.slow
def test_killed_under_load(tmp_path: Path, start: Callable[..., ServerProcess]) -> None:
    home, backup = tmp_path / "home", tmp_path / "backup"
    server = start(home)
    clients = [Load(server.address, f"user-{number}") for number in range(3)]
    for client in clients:
        client.start()
    until(lambda: all(len(client.acknowledged) > 20 for client in clients), "events")
    assert run(BACK_UP, home, backup, 2) == -signal.SIGKILL
    assert not backup.exists(), "half a backup is not there"
    before = {event_id for client in clients for event_id in list(client.acknowledged)}
    assert run(BACK_UP, home, backup, 0) == 0
    assert (backup / MANIFEST).is_file()
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == [], "leftovers are cleared"
    for client in clients:
        client.stopped.set()
    for client in clients:
        client.join()
        assert client.problems == []
    assert server.stop() == 0
    sent = {event_id for client in clients for event_id in client.acknowledged}

    assert run(RESTORE, home, backup, 4) == -signal.SIGKILL
    assert run(RESTORE, home, backup, 0) == 0
    verify(backup)
    asides = list(home.glob("before-restore-*"))
    with closing(SqliteEventLog(asides[0] / "gars.sqlite")) as log:
        assert {event.event_id for _, event in log.read()} == sent, "the former home is whole"

    service = open_service(from_environment({}, home=home), FakeEngine())
    events = [event for _, event in service.stores.history.read_user("user-0")]
    restored = {event.event_id for client in clients for _, event in service.stores.history.read_user(client.user)}
    assert before <= restored <= sent
    assert service.states.get("user-0") == user_state.fold(UserState(user_id="user-0"), events)
    service.close()
    print(f"\nkills 2, events {len(sent)}, in the backup {len(restored)}, lost {len(before - restored)}")
