"""Client of the REST API of Flink's JobManager."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Any

import msgspec

from gars.stack.engine import StackError
from gars.stack.running import wait_for

_TIMEOUT_S = 5
_ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})


class FlinkRest:
    """One JobManager by the address of its page."""

    def __init__(self, address: str) -> None:
        self.address = address

    def problem(self) -> str | None:
        """Why it is of no use now; ``None`` when it answers."""
        try:
            self.ask("/overview")
        except StackError as error:
            return error.message
        return None

    def worker_problem(self, since_s: float = 0) -> str | None:
        """Return a fault, or ``None`` if a TaskManager has sent a heartbeat after ``since_s`` (Unix time, seconds)."""
        try:
            heartbeats_s = self._heartbeats_s()
        except StackError as error:
            return error.message
        if not heartbeats_s:
            return "no TaskManager has registered yet"
        return None if max(heartbeats_s) >= since_s else "the TaskManager that is registered is one that died"

    def live_jobs(self) -> list[str]:
        """Ids of the jobs that have not ended."""
        return [job["id"] for job in self.ask("/jobs")["jobs"] if job["status"] not in _ENDED]

    def job_problem(self, since_s: float = 0) -> str | None:
        """``None`` when one job runs with all its tasks.

        Tasks from before ``since_s`` were in a TaskManager that died, which Flink has not noticed: they do not count,
        unless there are other TaskManagers that they may be in.
        """
        try:
            jobs = self.live_jobs()
            if len(jobs) != 1:
                return f"{len(jobs)} jobs run" if jobs else "the job does not run"
            job = self.ask(f"/jobs/{jobs[0]}")
            gone_ms = 1000 * since_s if since_s and len(self._heartbeats_s()) == 1 else 0
        except StackError as error:
            return error.message
        waiting = [f"{one['name']} is {one['status']}" for one in job["vertices"] if one["status"] != "RUNNING"]
        if not waiting and any(one["start-time"] < gone_ms for one in job["vertices"]):
            return "the job's tasks were in a TaskManager that died"
        return f"the job is {job['state']}: {', '.join(waiting)}" if waiting or job["state"] != "RUNNING" else None

    def checkpoints(self, job: str) -> int:
        """Return the number of checkpoints that a job has completed since it was submitted."""
        return int(self.ask(f"/jobs/{job}/checkpoints")["counts"]["completed"])

    def stop(self, job: str, folder: str, *, within_s: float) -> str:
        """Stop a job with a savepoint. → path of the savepoint. Raises ``StackError``: the job may still run."""
        trigger = self.ask(f"/jobs/{job}/stop", {"targetDirectory": folder, "drain": False})["request-id"]
        path = f"/jobs/{job}/savepoints/{trigger}"
        problem = wait_for(
            lambda: None if self.ask(path)["status"]["id"] == "COMPLETED" else "it takes too long", within_s
        )
        operation = {} if problem else self.ask(path)["operation"]
        if location := operation.get("location"):
            return str(location)
        why = problem or str(operation.get("failure-cause", {}).get("class", "no reason given"))
        raise StackError(f"Flink made no savepoint: {why}", hint=f"look at {self.address}")

    def cancel(self, job: str) -> None:
        """End a job as it is: its last checkpoint stays."""
        self.ask(f"/jobs/{job}?mode=cancel", method="PATCH")

    def _heartbeats_s(self) -> list[float]:
        """Return the time of the last heartbeat of each registered TaskManager, as Unix time in seconds."""
        return [one["timeSinceLastHeartbeat"] / 1000 for one in self.ask("/taskmanagers")["taskmanagers"]]

    def ask(self, path: str, body: object = None, *, method: str | None = None) -> Any:
        """A JSON answer; raises ``StackError``."""
        request = urllib.request.Request(
            self.address + path,
            data=None if body is None else msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return msgspec.json.decode(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            reply = error.read().decode(errors="replace")[:300]
            raise StackError(f"Flink at {self.address}{path} says {error.code}: {reply}") from error
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            raise StackError(f"Flink at {self.address} does not answer: {error}") from error
