"""A service with tokens, and clients that hold one token each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine

SERVICE_TOKEN = "service-secret-word"
Send = Callable[..., Any]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Service]:
    """A service that answers only to tokens, without a limit on requests."""
    environment = {"GARS_SERVICE_TOKEN": SERVICE_TOKEN, "GARS_RATE_PER_S": "0"}
    service = open_service(from_environment(environment, home=tmp_path / "home"), FakeEngine())
    yield service
    service.close()


@pytest.fixture
def client(guarded: Service) -> Iterator[Any]:
    """The service in process."""
    with TestClient(create_app(guarded), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def as_gateway(client: Any) -> Send:
    """Send requests with the service token."""
    return partial(client.request, headers={"Authorization": f"Bearer {SERVICE_TOKEN}"})


@pytest.fixture
def as_user(client: Any, as_gateway: Send) -> Callable[[str], Send]:
    """Return a function that sends requests with the token of one user and nothing else."""

    def of(user_id: str) -> Send:
        token = as_gateway("POST", f"/api/v1/users/{user_id}/token").json()["token"]
        return partial(client.request, headers={"Authorization": f"Bearer {token}"})

    return of
