"""Sign-in at AniList on the page: offered, and allowed by the content security policy, only with a client id."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from gars.bootstrap import open_service
from gars.config import from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine


@pytest.mark.parametrize("client_id", ["", "4711"])
def test_only_with_a_client_id(tmp_path: Path, client_id: str) -> None:
    settings = from_environment({"GARS_ANILIST_CLIENT_ID": client_id}, home=tmp_path)
    service = open_service(settings, FakeEngine())
    with TestClient(create_app(service)) as client:
        answer = client.get("/api/v1/about")
    service.close()
    policy = answer.headers["content-security-policy"]
    if client_id:
        assert answer.json()["anilist"] == {
            "client_id": "4711",
            "authorize_url": "https://anilist.co/api/v2/oauth/authorize",
            "api_url": "https://graphql.anilist.co",
        }
        assert "; connect-src 'self' https://graphql.anilist.co; " in policy
    else:
        assert answer.json()["anilist"] is None
        assert "connect-src" not in policy


@pytest.mark.parametrize(
    "address", ["graphql.anilist.co", "https://a.example; script-src *", "https://*/", "ftp://a.example"]
)
def test_an_address_that_is_none_is_refused_at_start(tmp_path: Path, address: str) -> None:
    settings = from_environment({"GARS_ANILIST_CLIENT_ID": "4711", "GARS_ANILIST_URL": address}, home=tmp_path)
    service = open_service(settings, FakeEngine())
    with pytest.raises(InvalidInputError, match="GARS_ANILIST_URL"):
        create_app(service)
    service.close()
