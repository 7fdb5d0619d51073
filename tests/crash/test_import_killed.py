"""The service is killed in the middle of an import; importing again does the rest, and nothing counts twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from gars.bootstrap import open_service
from gars.config import from_environment
from gars.domain import user_export
from gars.testing.anime import sample_catalogue
from gars.testing.engine import FakeEngine
from gars_test_support.server import ServerProcess

ANIME = [entry.anime_id for entry in sample_catalogue()]
EXPORT = {
    "gars_export": 1,
    "user_id": "fan",
    "exported": "2026-01-01T00:00:00Z",
    "state": {"version": 0, "titles": 0, "ratings": 0, "rating_mean": None, "clicks": 0},
    "interactions": [
        {
            "event_id": f"e{number}",
            "user_id": "fan",
            "anime_id": ANIME[number % len(ANIME)],
            "kind": "rate",
            "value": 1 + number % 10,
            "event_time": f"2025-01-01T00:{number // 60:02}:{number % 60:02}Z",
        }
        for number in range(2500)
    ],
}


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_importing_again_does_the_rest(tmp_path: Path, start: Callable[..., ServerProcess], step: int) -> None:
    route = "/api/v1/lists/import?user_id=fan"
    dying = start(tmp_path, kill_at=(step, 2))  # in the second of three batches
    with pytest.raises(httpx.HTTPError):
        httpx.post(dying.address + route, json=EXPORT, timeout=60)
    assert dying.wait() == -9
    again = start(tmp_path)
    half = httpx.get(f"{again.address}/api/v1/users/fan").json()["version"]
    assert half == (1000 if step == 1 else 2000)
    report = httpx.post(again.address + route, json=EXPORT, timeout=60).json()
    assert (report["events"], report["version"]) == (2500 - half, 2500)
    assert again.stop() == 0

    whole = open_service(from_environment({}, home=tmp_path / "whole"), FakeEngine())
    killed = open_service(from_environment({}, home=tmp_path), FakeEngine())
    whole.import_list("fan", user_export.decode(json.dumps(EXPORT).encode()))
    assert killed.states.get("fan") == whole.states.get("fan")
    whole.close()
    killed.close()
