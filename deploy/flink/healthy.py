"""The health check of the feature job: it runs with all its tasks, and has completed a checkpoint lately.

``python /opt/healthy.py [JOBMANAGER]``. Standard library only: it runs in Flink's image. A job that fails and is
restarted again and again is RUNNING too, but completes no checkpoints.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from typing import Any

_RECENT_S = 120
"""Maximum age of the latest completed checkpoint: one is due every five seconds, and may take two minutes."""
_TIMEOUT_S = 8


def get(path: str, rest: str) -> Any:
    """Return an answer of Flink's REST API."""
    with urllib.request.urlopen(f"{rest}{path}", timeout=_TIMEOUT_S) as answer:
        return json.load(answer)


def job_problem(rest: str, now: float) -> str | None:
    """Return the fault of the job; ``now`` in seconds since 1970. Raises ``OSError`` if Flink does not answer."""
    running = [job["id"] for job in get("/jobs", rest)["jobs"] if job["status"] == "RUNNING"]
    if not running:
        return "no job runs"
    for job in running:
        waiting = [task["name"] for task in get(f"/jobs/{job}", rest)["vertices"] if task["status"] != "RUNNING"]
        if waiting:
            return f"these tasks of the job do not run: {', '.join(waiting)}"
        latest = get(f"/jobs/{job}/checkpoints", rest)["latest"]["completed"]
        if latest is None:
            return "the job has completed no checkpoint yet"
        age_s = now - latest["latest_ack_timestamp"] / 1000
        if age_s > _RECENT_S:
            return f"the latest checkpoint was completed {age_s:.0f} s ago"
    return None


if __name__ == "__main__":
    try:
        sys.exit(job_problem(sys.argv[1] if len(sys.argv) > 1 else "http://jobmanager:8081", time.time()))
    except OSError as error:
        sys.exit(f"Flink does not answer: {error}")
