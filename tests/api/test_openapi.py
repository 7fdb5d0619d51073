"""Generated requests over the whole OpenAPI document: no 5xx, and every answer is what the document says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars.entrypoints.api.tokens import Tokens
from gars.library import atlas_store
from gars.testing.engine import FakeEngine


def with_its_map(service: Service, home: str) -> Service:
    """The service as training leaves it: while a map is only being drawn, 503 is the right answer (test_atlas)."""
    places = np.zeros((len(atlas_store.shown(service.catalogue.anime)), 2), np.float32)
    atlas_store.write(Path(home), service.about.model_version, places)
    return service


_home = tempfile.TemporaryDirectory()
_service = with_its_map(open_service(from_environment({}, home=Path(_home.name)), FakeEngine()), _home.name)
schema = schemathesis.openapi.from_asgi("/docs/openapi.json", create_app(_service))
CHECKS = [
    negative_data_rejection,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


SERVICE, ADMIN = "service-secret-word", "admin-secret-word-2"
_guarded_home = tempfile.TemporaryDirectory()
_guarded_service = with_its_map(
    open_service(
        from_environment(
            {"GARS_SERVICE_TOKEN": SERVICE, "GARS_ADMIN_TOKEN": ADMIN, "GARS_RATE_PER_S": "0"},
            home=Path(_guarded_home.name),
        ),
        FakeEngine(),
    ),
    _guarded_home.name,
)
guarded = schemathesis.openapi.from_asgi("/docs/openapi.json", create_app(_guarded_service))


def teardown_module() -> None:
    for service, home in ((_service, _home), (_guarded_service, _guarded_home)):
        service.close()
        home.cleanup()


# the stream has no end, and is tested over a socket
@schema.exclude(path_regex="/events$").parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_surprises_the_service(case: Any) -> None:
    case.call_and_validate(checks=CHECKS)


@guarded.exclude(path_regex="/events$").parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_nor_with_any_token(case: Any) -> None:
    for token in (SERVICE, ADMIN, Tokens(SERVICE).issue("7"), "gu1.forged.0.x"):
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})


def test_the_check_notices_a_fault() -> None:
    """Negative control: with a model that fails on every request the same checks must raise."""

    class Broken(FakeEngine):
        def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
            raise RuntimeError("broken")

    with tempfile.TemporaryDirectory() as home:
        service = open_service(from_environment({}, home=Path(home)), Broken())
        broken = schemathesis.openapi.from_asgi("/docs/openapi.json", create_app(service))
        case = broken["/sim"]["GET"].Case(query={"anime_id": 1})
        with pytest.raises(FailureGroup, match="Server error"):
            case.call_and_validate(checks=CHECKS)
        service.close()
