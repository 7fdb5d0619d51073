"""The services of the compose file: lists, clicks, and no acknowledged event lost when one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

import httpx

from gars_test_support.patience import until

Stack = Any
_WRITABLE = {"kafka", "cassandra"}
_ENDED = {name: {0, 143} for name in ("kafka", "cassandra", "jobmanager", "taskmanager")}
"""Exit codes of a graceful end other than 0: a JVM that ran its shutdown hooks reports the signal."""
_MAX_BYTES = 700_000_000
_PATIENCE_S = 600


def rate(user_id: str, anime_id: int, value: int = 10) -> dict[str, Any]:
    event_id = uuid.uuid4().hex
    return {"user_id": user_id, "anime_id": anime_id, "kind": "rate", "value": value, "event_id": event_id}


def event_ids(export: Any) -> set[str]:
    """Every event id anywhere in an export."""
    if isinstance(export, dict):
        own = {export["event_id"]} if isinstance(export.get("event_id"), str) else set()
        return own.union(*(event_ids(part) for part in export.values()))
    return set().union(*(event_ids(part) for part in export)) if isinstance(export, list) else set()


def signal_all(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # health checks come and go
            os.kill(process, number)


def test_a_click_changes_the_list(stack: Stack) -> None:
    before = stack.recommendations("reader")
    for anime_id in (100, 102, 104):
        answer = stack.client.post("/api/v1/interactions", json=rate("reader", anime_id))
        assert answer.status_code == 202, answer.text
    until(
        lambda: stack.recommendations("reader")["version"] == 3,
        "the events to be in the state",
        within_s=_PATIENCE_S,
        pause_s=0.2,
    )
    after = stack.recommendations("reader")
    assert after["fallback"] is None
    shown, shown_before = ([item["anime"]["anime_id"] for item in made["items"]] for made in (after, before))
    assert shown != shown_before
    assert not {100, 102, 104} & set(shown)
    page = stack.client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.status_code == 200


def test_runs_confined(stack: Stack, service: str) -> None:
    container = stack.container(service)
    assert stack.docker("exec", container, "id", "-u").strip() != "0"
    assert stack.inspect(service)["HostConfig"]["ReadonlyRootfs"] is (service not in _WRITABLE)
    if service in _WRITABLE:
        return
    tried = subprocess.run(
        ["/usr/bin/docker", "exec", "--user", "0", container, "touch", "/usr/it"],
        env=stack.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Read-only file system" in tried.stderr


def test_the_image_that_serves_is_small(stack: Stack) -> None:
    assert stack.image_bytes("gars") <= _MAX_BYTES


def test_health_checks_see_processes_that_hang(stack: Stack) -> None:
    running = list(chain.from_iterable(stack.processes(service) for service in stack.services))
    try:
        signal_all(running, signal.SIGSTOP)
        for service in stack.services:
            stack.wait_for_health(service, "unhealthy")
    finally:
        signal_all(running, signal.SIGCONT)
    stack.wait_healthy(*stack.services)


def test_the_first_list_after_a_restart_of_rank_is_ranked(stack: Stack) -> None:
    stack.kill("rank")
    assert stack.recommendations("reader")["fallback"] is None


def test_apis_that_come_and_go_are_found_by_their_name(stack: Stack) -> None:
    """nginx resolves the name again, without a reload: at least one of the two has a new address."""
    first = stack.container("api")
    stack.compose("stop", "api")
    with stack.another("api") as second:
        stack.compose("start", "api")
        stack.wait_healthy("api")
        before = {api: stack.lists_answered(api) for api in (first, second)}

        def both_answer() -> bool:
            for _ in range(10):
                with suppress(httpx.HTTPStatusError):  # the second one may not listen yet
                    stack.recommendations("reader")
            return all(stack.lists_answered(api) > before[api] for api in before)

        until(both_answer, "lists from both apis", within_s=60, pause_s=0.2)
    for _ in range(50):  # one that is gone is not asked, or another one is
        stack.recommendations("reader")


class Load:
    """A reader who rates one title after another in a thread, and remembers what was acknowledged."""

    def __init__(self, stack: Stack) -> None:
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.user_id = f"reader-{uuid.uuid4().hex[:8]}"
        self._stack = stack
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        sent = 0
        while not self._stop.wait(0.05):
            event = rate(self.user_id, 100 + sent % 60, 1 + sent % 10)
            sent += 1
            with suppress(httpx.HTTPError):
                answer = self._stack.client.post("/api/v1/interactions", json=event)
                if answer.status_code == 202:
                    self.acknowledged.add(event["event_id"])
                    continue
            self.refused += 1


def test_no_acknowledged_event_is_lost_when_services_are_killed(stack: Stack) -> None:
    with Load(stack) as load:
        for service in stack.services:
            before, refused = len(load.acknowledged), load.refused
            begin = time.monotonic()
            stack.kill(service)
            until(
                lambda before=before: len(load.acknowledged) > before,  # type: ignore[misc]
                f"an event to be acknowledged after {service} was killed",
                within_s=_PATIENCE_S,
                pause_s=0.2,
            )
            print(
                f"{service} killed, healthy after {time.monotonic() - begin:.0f} s: "
                f"{len(load.acknowledged) - before} events acknowledged, {load.refused - refused} refused"
            )
    assert load.acknowledged
    until(
        lambda: load.acknowledged <= event_ids(stack.history(load.user_id)),
        f"all of {len(load.acknowledged)} acknowledged events in the history",
        within_s=_PATIENCE_S,
        pause_s=0.2,
    )
    until(
        lambda: stack.recommendations(load.user_id)["fallback"] is None,
        "a ranked list",
        within_s=_PATIENCE_S,
        pause_s=0.2,
    )
    print(f"{len(load.acknowledged)} events acknowledged, {load.refused} refused, none lost")


def test_volumes_survive_down_and_up(stack: Stack) -> None:
    known = event_ids(stack.history("reader"))
    assert len(known) == 3
    stack.compose("down")
    stack.up()
    assert event_ids(stack.history("reader")) == known
    until(
        lambda: stack.recommendations("reader")["version"] == 3,
        "the state of before",
        within_s=_PATIENCE_S,
        pause_s=0.2,
    )


def test_services_end_on_sigterm(stack: Stack) -> None:
    for service in reversed(stack.services):
        begin = time.monotonic()
        stack.compose("stop", service)
        code = stack.inspect(service)["State"]["ExitCode"]
        print(f"{service} ended with {code}, {time.monotonic() - begin:.0f} s after SIGTERM")
        assert code in _ENDED.get(service, {0}), service
