from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gars.config import from_environment
from gars.domain.errors import InvalidInputError, NotAllowedError
from gars.entrypoints.api.tokens import Caller, Tokens
from gars.entrypoints.cli.app import app

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE, ADMIN = "service-secret-word", "admin-secret-word-2"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SERVICE, ADMIN)


@given(user_id=st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_a_user_token_names_its_user(user_id: str) -> None:
    tokens = Tokens(SERVICE)
    assert tokens.caller(tokens.issue(user_id), NOW) == Caller("user", user_id)
    assert Tokens("another-service-secret").caller(tokens.issue(user_id), NOW).kind == "anonymous"


@given(place=st.integers(min_value=0), change=st.characters(categories=["L", "N"], max_codepoint=127))
def test_a_changed_token_is_nobodys(place: int, change: str) -> None:
    tokens = Tokens(SERVICE)
    token = tokens.issue("alice", NOW + timedelta(days=1))
    place %= len(token)
    forged = token[:place] + change + token[place + 1 :]
    caller = tokens.caller(forged, NOW)
    # the last character of base64 has bits that mean nothing
    assert caller.kind == "anonymous" or forged == token or place == len(token) - 1


@pytest.mark.parametrize(
    "junk", ["", ".", "gu1", "gu1...", "gu1.YQ.0", "gu1.YQ.x.y", "\u2603", SERVICE + "x", "é" * 20]
)
def test_junk(tokens: Tokens, junk: str) -> None:
    assert tokens.caller(junk, NOW) == Caller("anonymous")


def test_expiry(tokens: Tokens) -> None:
    token = tokens.issue("alice", NOW)
    assert tokens.caller(token, NOW - timedelta(seconds=1)).kind == "user"
    assert tokens.caller(token, NOW).kind == "anonymous"


def test_secrets(tokens: Tokens) -> None:
    assert tokens.caller(SERVICE, NOW).kind == "service"
    assert tokens.caller(ADMIN, NOW).kind == "admin"
    assert tokens.caller(None, NOW).kind == "anonymous"
    assert Tokens().caller("anything", NOW).kind == "open"
    assert Tokens("", ADMIN).caller(ADMIN, NOW).kind == "admin"


def test_require() -> None:
    for caller in (Caller("open"), Caller("service"), Caller("user", "alice")):
        caller.require("alice")
    for caller in (Caller("anonymous"), Caller("admin"), Caller("user", "bob")):
        with pytest.raises(NotAllowedError, match="this token is not for that user"):
            caller.require("alice")


def test_an_open_service_has_no_user_tokens() -> None:
    with pytest.raises(NotAllowedError, match="no user tokens without GARS_SERVICE_TOKEN"):
        Tokens().issue("alice")


def test_the_command(monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> None:
    monkeypatch.setenv("GARS_SERVICE_TOKEN", SERVICE)
    done = CliRunner().invoke(app, ["token", "alice", "--days", "2"])
    assert tokens.caller(done.output.strip(), datetime.now(UTC)) == Caller("user", "alice")
    monkeypatch.setenv("GARS_SERVICE_TOKEN", "")
    refused = CliRunner().invoke(app, ["token", "alice"])
    assert isinstance(refused.exception, InvalidInputError)
    assert "secrets.token_urlsafe" in (refused.exception.hint or "")


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(InvalidInputError) as caught:
        from_environment({"GARS_ADMIN_TOKEN": "swordfish"})
    assert caught.value.message == "GARS_ADMIN_TOKEN: a secret needs at least 16 characters"
    assert "swordfish" not in str(caught.value)
    assert SERVICE not in repr(from_environment({"GARS_SERVICE_TOKEN": SERVICE}))
