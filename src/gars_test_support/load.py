"""HTTP load on a service during a test: clicks that are repeated until acknowledged, and readers of lists."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence

import httpx

_READERS = 2


class Load:
    """Clicks that are repeated until acknowledged, and readers that count the answers.

    The users are divided among ``takers``, the addresses that accept events, so that no two threads write the same set
    of ``acknowledged``; lists are read from ``api``, those of ``unchanged`` too, a user without clicks.
    """

    def __init__(self, takers: Sequence[str], api: str, users: Sequence[str], *, unchanged: str | None = None) -> None:
        self.acknowledged: dict[str, set[str]] = defaultdict(set)
        """Event ids by user."""
        self.refused: Counter[int] = Counter()
        """Failed attempts of clicks by status; 0 for no answer."""
        self.answers: Counter[int] = Counter()
        """List requests by status; 0 for no answer."""
        self.fallbacks: Counter[str | None] = Counter()
        """Lists by fallback level; ``None`` for a ranked one."""
        self.lists: Counter[tuple[str | None, tuple[int, ...]]] = Counter()
        """Lists of ``unchanged`` by fallback level and ids."""
        self.slowest_s = 0.0
        self._unchanged = unchanged
        self._takers, self._api, self._users = takers, api, users
        self._counting = threading.Lock()
        self._ended = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._click, args=(number,)) for number in range(len(takers))),
            *(threading.Thread(target=self._read, args=(number,)) for number in range(_READERS)),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def counts(self) -> dict[str, int]:
        """Clicks acknowledged so far, by user."""
        return {user: len(self.acknowledged[user]) for user in self._users}

    def stop(self) -> None:
        """Stop the load and wait for requests in flight; a second call does nothing."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _click(self, taker: int) -> None:
        mine = self._users[taker :: len(self._takers)]
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
        users = [*self._users, *([self._unchanged] if self._unchanged else [])]
        number = reader
        with httpx.Client(base_url=self._api, timeout=60) as client:
            while not self._ended.wait(0.05):
                number += _READERS
                user_id = users[number % len(users)]
                began = time.monotonic()
                try:
                    answer = _get(client, f"/api/v1/users/{user_id}/recommendations")
                except httpx.TransportError:
                    with self._counting:
                        self.answers[0] += 1
                    continue
                with self._counting:
                    self.answers[answer.status_code] += 1
                    self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                    if answer.status_code == 200:
                        body = answer.json()
                        self.fallbacks[body["fallback"]] += 1
                        if user_id == self._unchanged:
                            self.lists[body["fallback"], tuple(one["anime"]["anime_id"] for one in body["items"])] += 1


def _get(client: httpx.Client, path: str) -> httpx.Response:
    """Read a path; once more if the connection was closed without an answer.

    Browsers do the same: a server that reloads its configuration may close a connection that was kept open while a
    request is on its way. One that is away refuses the second request too.
    """
    try:
        return client.get(path)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return client.get(path)
