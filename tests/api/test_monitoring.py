"""What deploy/monitoring reads: every series of alerts, dashboard and autoscalers is one that the services have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from litestar.testing import TestClient

from gars.application.recommend.stage_messages import RANK, RECALL, RECALL_IDS
from gars.bootstrap import Service, live, open_service
from gars.bootstrap.stages import open_stage
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars.entrypoints.stages.app import Part
from gars.entrypoints.stages.app import create_app as stage_app
from gars.stack.deploy import deploy_folder
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryStateStore

MONITORING = deploy_folder("monitoring")
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
ADAPTER: list[dict[str, Any]] = yaml.safe_load((MONITORING / "adapter.yaml").read_text())["rules"]["custom"]
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


@pytest.mark.parametrize("explore", ["0", "1"])
def test_each_list_that_an_api_makes_counts_for_autoscalers(explore: str, tmp_path: Path, engine: FakeEngine) -> None:
    (rule,) = (one for one in ADAPTER if one["name"]["as"] == "gars_lists_per_second")
    settings = from_environment({"GARS_RANK_BUDGET_MS": "0", "GARS_EXPLORE": explore}, home=tmp_path)
    service = open_service(settings, engine)
    try:
        with TestClient(create_app(live(service))) as client:
            assert _counted(rule, client.get("/metrics").text) == 0  # there before the first list
            for _ in range(3):
                client.get("/api/v1/users/7/recommendations")
            made = {"0": 1, "1": 3}[explore]  # others are kept
            assert _counted(rule, client.get("/metrics").text) == made
    finally:
        service.close()


@pytest.mark.parametrize("part", ["recall", "rank"])
def test_what_an_api_asks_of_a_stage_counts_for_autoscalers(part: Part, tmp_path: Path, engine: FakeEngine) -> None:
    (rule,) = (one for one in ADAPTER if one["name"]["as"] == "gars_stage_lists_per_second")
    running = open_stage(from_environment({}, home=tmp_path), engine, part=part, states=MemoryStateStore())
    paths = {"recall": (RECALL, RECALL_IDS), "rank": (RANK,)}[part]
    try:
        with TestClient(stage_app(running, part)) as client:
            for path in paths:
                assert client.post(path).status_code == 415
            client.get("/", params={"user_id": "7"})
            client.get("/api/v1/health/ready")
            assert _counted(rule, client.get("/metrics").text) == len(paths) + 1
    finally:
        running.current.close()


def _counted(rule: dict[str, Any], exposition: str) -> float | None:
    """Return the sum of what the query of a rule selects; None where its discovery finds no series."""
    labels = ',namespace="gars",pod="a"'
    series = [
        (line.split("{")[0], line) for line in exposition.replace("} ", f"{labels}}} ").splitlines() if "{" in line
    ]
    name, found_by = re.fullmatch(r"(\w+){(.*)}", rule["seriesQuery"], re.DOTALL).groups()  # type: ignore[union-attr]
    selected_by = re.fullmatch(
        r"sum by \(<<\.GroupBy>>\) \(rate\(<<\.Series>>{(.*),<<\.LabelMatchers>>}\[1m\]\)\)", rule["metricsQuery"]
    ).group(1)  # type: ignore[union-attr]
    found = [line for one, line in series if one == name and _matches(found_by, line)]
    if not found:
        return None
    return sum(float(line.split()[-1]) for line in found if _matches(selected_by, line))


def _matches(matchers: str, line: str) -> bool:
    """Return whether a line has the labels that matchers ask for."""
    labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
    compare: dict[str, Callable[[str, str], bool]] = {
        "=": lambda label, value: label == value,
        "!=": lambda label, value: label != value,
        "=~": lambda label, value: re.fullmatch(value, label) is not None,
    }
    return all(
        compare[sign](labels.get(label, ""), value)
        for label, sign, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', matchers)
    )


def test_prometheus_reads_the_services_and_names_their_pods() -> None:
    (job,) = yaml.safe_load((MONITORING / "scrape.yaml").read_text())["scrape_configs"]
    first, *others = job["relabel_configs"]
    _, services, port = re.fullmatch(r"(gars);\((.*)\);(.*)", first["regex"]).groups()  # type: ignore[union-attr]
    manifests = yaml.safe_load_all((deploy_folder("kubernetes") / "services.yaml").read_text())
    with_metrics = {
        one["metadata"]["name"]
        for one in manifests
        if one is not None and one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
        if container["image"] == "gars" and port in {known["name"] for known in container.get("ports", ())}
    }
    assert set(services.split("|")) == with_metrics
    assert {one["target_label"] for one in others} == {"job", *ADAPTER[0]["resources"]["overrides"]}


def test_each_alert_has_a_summary_and_a_remedy() -> None:
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
    tested = (MONITORING / "alerts.test.yaml").read_text()
    assert "rule_files: [alerts.yaml]" in tested
    assert set(re.findall(r"alertname: (\w+)", tested)) <= {rule["alert"] for rule in RULES}
