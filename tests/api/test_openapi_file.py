"""``web/openapi.json``, which the types of the page are generated from, is what the service says of itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

FILE = Path(__file__).parents[2] / "web" / "openapi.json"
REWRITE = "GARS_WRITE_OPENAPI=1 python -m pytest tests/api/test_openapi_file.py"


def _described(client: TestClient[Any]) -> str:
    document = client.get("/docs/openapi.json").json()
    document["info"]["version"] = "current"  # a release changes no shape
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_file_is_current(client: TestClient[Any]) -> None:
    described = _described(client)
    if os.environ.get("GARS_WRITE_OPENAPI"):
        FILE.write_text(described, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == described, f"the API changed\n  → run: {REWRITE}"
