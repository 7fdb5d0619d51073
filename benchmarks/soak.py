"""The service for some minutes under load: memory, descriptors and disk, a line each half minute.

    gars data build && gars train --home var
    python benchmarks/soak.py --home var --minutes 10

Clients send clicks one by one, read lists and, now and then, delete a user, each client as fast as it is answered. The
stores are new files. At the end every acknowledged event of users that were not deleted must be in the log once, and
none of those whose deletion was confirmed, or the run fails. Where no deletion of a user was confirmed the outcome for
their events is unknown: they are counted apart.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx

from gars import Recommender
from gars_test_support.server import ServerProcess, serve_command

CLIENTS = 4
DELETE_EVERY = 500
"""Requests of a client between two deletions."""
DELETE_TRIES = 20
LINE_S = 30.0
START_S = 600.0
"""How long the start may take: it folds in the histories of the data set."""


class Client(threading.Thread):
    """Clicks, lists and deletions of users of its own, until it is stopped."""

    def __init__(self, address: str, number: int, users: list[str], anime: list[int]) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.http = httpx.Client(base_url=address, timeout=60)
        self.random = random.Random(number)
        self.users, self.anime = users, anime
        self.acknowledged: dict[str, set[str]] = {}
        self.deleting: dict[str, set[str]] = {}
        """Events of users whose deletion was asked for and not confirmed."""
        self.deleted: dict[str, set[str]] = {}
        """Events of users whose deletion was confirmed."""
        self.answers: Counter[int] = Counter()
        self.failed: Counter[str] = Counter()
        """Requests without an answer or with 5xx, by method and status."""
        self.ended = threading.Event()

    def run(self) -> None:
        sent = 0
        while not self.ended.is_set():
            sent += 1
            user = self.random.choice(self.users)
            if sent % DELETE_EVERY == 0:
                self._forget(user)
            elif sent % 2:
                self._ask("GET", f"/api/v1/users/{user}/recommendations?k=20")
            else:
                event_id = uuid.uuid4().hex
                event = {"user_id": user, "anime_id": self.random.choice(self.anime), "kind": "click"}
                if self._ask("POST", "/api/v1/interactions", {"events": [{**event, "event_id": event_id}]}) == 202:
                    self.acknowledged.setdefault(user, set()).add(event_id)

    def _forget(self, user: str) -> None:
        """Delete a user. Without a 200 it is unknown which of their events are left: the answer may have been lost."""
        self.users.remove(user)
        self.deleting = {**self.deleting, user: self.acknowledged.pop(user, set())}
        for _ in range(DELETE_TRIES):
            if self._ask("DELETE", f"/api/v1/users/{user}") == 200:
                self.deleted[user] = self.deleting[user]
                self.deleting = {name: ids for name, ids in self.deleting.items() if name != user}
                return

    def _ask(self, method: str, path: str, body: object = None) -> int:
        try:
            status = self.http.request(method, path, json=body).status_code
        except httpx.HTTPError:
            status = 0
        self.answers[status] += 1
        if status == 0 or status >= 500:
            self.failed[f"{method} {status or 'no answer'}"] += 1
        return status


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--minutes", type=float, default=10)
    args = options.parse_args()
    model = Recommender.load(args.home / "models" / "current")
    users = [str(user) for user in model.user_ids.tolist()]
    anime = [int(one) for one in model.item_ids[:2000]]
    with tempfile.TemporaryDirectory() as folder:
        stores = {
            f"GARS_{name}": f"sqlite:{folder}/{file}.sqlite"
            for name, file in (
                ("EVENT_LOG", "gars"),
                ("STATE_STORE", "gars"),
                ("TOMBSTONES", "forgotten"),
                ("IMPRESSIONS", "impressions"),
            )
        }
        environment = {**stores, "GARS_RATE_PER_S": "0"}
        server = ServerProcess(serve_command(args.home), environment=environment, ready_within_s=START_S)
        try:
            clients = [Client(server.address, number, users[number::CLIENTS], anime) for number in range(CLIENTS)]
            watch(server, clients, Path(folder), 60 * args.minutes)
        finally:
            code = server.stop()
        judge(Path(folder), clients, code)


def watch(server: ServerProcess, clients: list[Client], folder: Path, seconds: float) -> None:
    """Print a line each half minute."""
    print("| s | answers | events | 5xx or none | memory MB | descriptors | gars MB | impressions MB | bytes a list |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    start = time.monotonic()
    for client in clients:
        client.start()
    while True:
        passed = time.monotonic() - start
        answers = sum((client.answers for client in clients), Counter[int]())
        events = sum(len(ids) for client in clients for ids in list(client.acknowledged.values()))
        bad = sum(count for status, count in answers.items() if status == 0 or status >= 500)
        lists, size = impressions(folder)
        descriptors = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        print(
            f"| {passed:.0f} | {answers.total()} | {events} | {bad} | {memory(server.process.pid):.0f} "
            f"| {descriptors} | {on_disk(folder / 'gars.sqlite') / 1e6:.1f} "
            f"| {on_disk(folder / 'impressions.sqlite') / 1e6:.1f} | {size / max(1, lists):.0f} |",
            flush=True,
        )
        if passed >= seconds:
            break
        time.sleep(min(LINE_S, max(0.0, seconds - passed)))
    for client in clients:
        client.ended.set()
    for client in clients:
        client.join()
    failed = sum((client.failed for client in clients), Counter[str]())
    print("5xx or none: " + (", ".join(f"{count} {what}" for what, count in sorted(failed.items())) or "none"))


def judge(folder: Path, clients: list[Client], code: int) -> None:
    """Compare the log with what was acknowledged."""
    with closing(sqlite3.connect(folder / "gars.sqlite")) as connection:
        rows = connection.execute("SELECT user_id, event_id FROM events").fetchall()
    stored = Counter(rows)
    wanted = {(user, one) for client in clients for user, ids in client.acknowledged.items() for one in ids}
    lost = wanted - set(stored)
    doubled = [key for key, count in stored.items() if count > 1]
    unconfirmed = {(user, one) for client in clients for user, ids in client.deleting.items() for one in ids}
    deleted = {(user, one) for client in clients for user, ids in client.deleted.items() for one in ids}
    back = deleted & set(stored)
    print(
        f"exit code {code}; acknowledged {len(wanted)}, lost {len(lost)}, doubled {len(doubled)}; deleted "
        f"{len(deleted)}, of which {len(back)} are still there; of users whose deletion was not confirmed: "
        f"{len(unconfirmed)}, of which {len(unconfirmed - set(stored))} are gone"
    )
    if lost or doubled or back or code:
        raise SystemExit("events are missing, twice or not deleted, or the service did not end well")


def memory(pid: int) -> float:
    """Resident memory in MB (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def on_disk(path: Path) -> int:
    """Return the bytes of a database with its -wal and -shm files."""
    return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))


def impressions(folder: Path) -> tuple[int, int]:
    """Count the lists in the log, and the bytes of its file and write-ahead log."""
    path = folder / "impressions.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM impressions").fetchone()
    return int(count), path.stat().st_size


if __name__ == "__main__":
    main()
