"""Alerts and dashboard of deploy/monitoring: every series they read is one that the services have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from litestar.testing import TestClient

from gars.bootstrap import Service, live
from gars.entrypoints.api.app import create_app
from gars.stack.deploy import deploy_folder

MONITORING = deploy_folder("monitoring")
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
_OF_PROMETHEUS = {"up"}


@pytest.fixture
def exposition(service: Service) -> Iterator[str]:
    """All series of a service that has processes for its lists."""
    with TestClient(create_app(live(replace(service, worker_pool=Mock(alive=2, restarts=0))))) as client:
        client.get("/api/v1/users/7/recommendations")
        yield client.get("/metrics").text


def series_of(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:gars|process)_[a-z_]+\b|\bup\b", re.sub(r'"[^"]*"', "", expression)))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_series_exists(exposition: str, expression: str) -> None:
    named = series_of(expression)
    assert named
    assert named - _OF_PROMETHEUS <= set(re.findall(r"(?m)^([a-z_]+)[{ ]", exposition))


def test_every_label_exists(exposition: str) -> None:
    labels = {label for line in exposition.splitlines() for label in re.findall(r'([a-z_]+)="', line)}
    of_prometheus = {"job", "instance"}
    for expression in EXPRESSIONS:
        read = re.findall(r'([a-z_]+)(?:=~|!=|=)"', expression)
        grouped = re.findall(r"(?:by|on) \(([a-z_, ]+)\)", expression)
        named = {*read, *(name for group in grouped for name in group.split(", "))}
        assert named <= labels | of_prometheus, expression
    for route in re.findall(r'route="([^"]+)"', " ".join(EXPRESSIONS)):
        assert f'route="{route}"' in exposition


def test_each_alert_has_a_summary_and_a_remedy() -> None:
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
    tested = (MONITORING / "alerts.test.yaml").read_text()
    assert "rule_files: [alerts.yaml]" in tested
    assert set(re.findall(r"alertname: (\w+)", tested)) <= {rule["alert"] for rule in RULES}
