"""Publishing a model where there is no Redis is refused with the address that would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gars.bootstrap.publishing import publish_model
from gars.config import from_environment
from gars.domain.errors import ArtefactError, InvalidInputError
from gars.runtime.progress import Silent


def test_it_needs_redis(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="GARS_STATE_STORE='sqlite:") as caught:
        publish_model(from_environment({}, home=tmp_path), Silent())
    assert "redis://HOST:PORT/0" in (caught.value.hint or "")


def test_it_needs_a_model(tmp_path: Path) -> None:
    settings = from_environment({"GARS_STATE_STORE": "redis://127.0.0.1:9/0"}, home=tmp_path)
    with pytest.raises(ArtefactError, match="there is no trained model"):
        publish_model(settings, Silent())
