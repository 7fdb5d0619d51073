"""Health probes: a health route over HTTP, or the age of a heartbeat file."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

_ASK_WITHIN_S = 8
_SILENT_S = 30
"""Seconds after which a worker that touched no heartbeat is not well."""


def http_problem(url: str) -> str | None:
    """Return the fault that a health route reports; ``None`` if it answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=_ASK_WITHIN_S):
            return None
    except urllib.error.HTTPError as error:
        with error:
            return _problem_in(error.read()) or f"it answers {error.code}"
    except OSError as error:
        reason = getattr(error, "reason", error)
        return f"it does not answer at {url}: {getattr(reason, 'strerror', None) or reason}"


def beats(heartbeat: Path) -> str | None:
    """Return a fault if the heartbeat file of a worker is missing or too old, else ``None``."""
    try:
        silent_s = time.time() - heartbeat.stat().st_mtime
    except OSError:
        return "it has done nothing yet"
    return None if silent_s < _SILENT_S else f"it has done nothing for {silent_s:.0f} s"


def _problem_in(body: bytes) -> str | None:
    """The checks that failed, out of the answer of ``/health/ready``."""
    try:
        answer = json.loads(body)
        failed = {name: text for name, text in answer["checks"].items() if text != "ok"}
        return "; ".join(f"{name}: {text}" for name, text in failed.items()) or f"it is {answer['status']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
