"""Two of each service behind nginx under load: killed, added, taken away, upgraded. No read fails, no event is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.topics import create_topics
from gars.adapters.redis.state_store import RedisStateStore
from gars.runtime.free_ports import free_ports
from gars.stack.daemon import Daemon
from gars.stack.engine import environment
from gars.stack.flink import Flink
from gars.stack.kafka import Kafka
from gars.stack.redis import Redis
from gars.stack.running import Running
from gars.stack.services import Service
from gars.stack.web import Web
from gars_test_support import patience
from gars_test_support.collector import Collector
from gars_test_support.load import Load

USERS = [f"fan-{number}" for number in range(8)]
UNCHANGED = "reader"
SERVICES = [f"{part}-{number}" for part in ("recall", "rank", "api") for number in (1, 2)]
THIRD = ["recall-3", "rank-3", "api-3"]
OLD_COMMIT = "bd2708a"
"""A commit of 0.1: filters, reasons and requests of recall had fewer fields, and ``GARS_RECALL`` one address."""
FIRST, SECOND = "gars.testing.engine:make", "gars_test_support.models:make_second"
"""Models."""

until = partial(patience.until, within_s=120)


@dataclass
class Many:
    """nginx, and services by name and number, each with a home of its own as on a machine of its own."""

    folder: Path
    variables: Mapping[str, str]
    log: KafkaAddress
    flink: Running
    second: Daemon
    """Another TaskManager."""
    collector: Collector
    """Of the spans of the feature job, and of services that are started with its address."""
    running: dict[str, Running] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    variants: dict[str, tuple[str, Path | None]] = field(default_factory=dict)
    """Model and code of the services that run."""

    def port(self, name: str) -> int:
        """Return the port of a service, a free one at first."""
        return self.ports.setdefault(name, free_ports(1)[0])

    def start(self, name: str, model: str = FIRST, *, code: Path | None = None, traces: str = "") -> None:
        """Start a service with a model and a version of the code, in place of one with others."""
        if name in self.running and self.variants[name] != (model, code):
            self.stop(name)
        part, _, number = name.partition("-")
        stages = number if code else "123"  # the old code has one address each
        own = {
            f"GARS_{stage.upper()}": ",".join(f"http://127.0.0.1:{self.port(f'{stage}-{one}')}" for one in stages)
            for stage in ("recall", "rank")
        }
        if traces:
            own["GARS_TRACES"] = traces
        if code:
            own["PYTHONPATH"] = str(code)
        service = Service(
            part,
            folder=self.folder / name,
            home=self.folder / f"home-{name}",
            environment={**self.variables, **own},
            port=self.port(name),
            options=["--engine-factory", model],
        )
        self.running[name], self.variants[name] = Running(service), (model, code)
        self.running[name].up()

    def start_all(self, *, code: Path | None = None) -> None:
        """Start two of each, of the first model."""
        for name in [one for one in self.running if one not in (*SERVICES, "web")]:
            self.stop(name)
        for name in SERVICES:
            self.start(name, code=code)
        self.goes_to(1, 2)

    def stop(self, name: str) -> None:
        """SIGTERM, and wait until it has ended."""
        self.running.pop(name).down()

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.running[name].daemon(name.partition("-")[0]).kill()

    def answered(self, name: str) -> float:
        """Return the number of lists, or of calls of a stage, that a service has answered."""
        text = httpx.get(f"http://127.0.0.1:{self.port(name)}/metrics", timeout=60).text
        route = {"api": "recommendations", "recall": "recall", "rank": "rank"}[name.partition("-")[0]]
        found = re.findall(rf'gars_http_requests_total{{.*route="\S*/{route}",status="200"}} (\S+)', text)
        return sum(map(float, found))

    def goes_to(self, *numbers: int) -> None:
        """Let nginx pass requests to the apis of these numbers, as after another line in its configuration."""
        web = self.running["web"].engine
        assert isinstance(web, Web)
        web.apis = [f"127.0.0.1:{self.port(f'api-{number}')}" for number in numbers]
        web.prepare()
        pid = self.running["web"].daemon("web").pid
        assert pid is not None
        os.kill(pid, signal.SIGHUP)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    running = Collector()
    running.may_answer.set()
    yield running
    running.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, engines: Path, kafka: Kafka, collector: Collector) -> Iterator[Many]:
    """Flink with two TaskManagers, a Redis and nginx; topics of its own on the Kafka of all tests."""
    folder = tmp_path_factory.mktemp("many")
    redis_port, flink_port, rpc, web_port = free_ports(4)
    log = KafkaAddress(kafka.address.bootstrap_servers, "many")
    create_topics(log)
    redis = Redis(folder=folder / "redis", port=redis_port)
    flink = Flink(
        folder=folder / "flink",
        engines=engines,
        kafka=log,
        redis=redis.url,
        port=flink_port,
        rpc_port=rpc,
        traces=collector.address,
        settings={"execution.checkpointing.interval": "1 s"},
    )
    page = folder / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    variables = {
        "GARS_EVENT_LOG": f"kafka://{log.bootstrap_servers}/{log.prefix}",
        "GARS_IMPRESSIONS": f"kafka://{log.bootstrap_servers}/{log.prefix}",
        "GARS_STATE_STORE": redis.url,
        "GARS_CHANGE_FEED": redis.url,
        "GARS_HISTORY": "cassandra://127.0.0.1:9/gars",  # away, as lists and clicks do not need it
        "GARS_LIST_CACHE": "0",  # each list is made, by recall and rank
        # a machine that is busy is no fault
        "GARS_RANK_BUDGET_MS": "30000",
        "GARS_RETRIEVAL_BUDGET_MS": "30000",
    }
    second = Daemon("taskmanager-2", flink.folder / "taskmanager-2")
    made = Many(folder, variables, log, Running(flink), second, collector)
    made.ports["web"] = web_port
    of_web = Running(Web(folder=folder / "web", apis=["127.0.0.1:9"], port=web_port, page=page))
    before = [Running(redis), made.flink, of_web]
    try:
        for one in before:
            one.up()
        worker = flink.processes()[1]
        second.start([*worker.command, "-Dtaskmanager.resource-id=second"], environment=environment(worker.environment))
        made.running["web"] = of_web
        yield made
    finally:
        for one in reversed(made.running.values()):
            one.down()
        second.stop(patience_s=30)
        for one in reversed(before):
            one.down()


class Watch:
    """The load on a site, and what came of it."""

    def __init__(self, many: Many) -> None:
        address = f"http://127.0.0.1:{many.port('web')}"
        self.load = Load([address, address], address, USERS, unchanged=UNCHANGED)
        self._many = many

    def goes_on(self, what: str) -> None:
        """Wait until clicks sent from now on are in the states, and lists are ranked."""
        before, ranked = self.load.counts, self.load.fallbacks[None]
        until(lambda: all(self.load.counts[user] > before[user] for user in USERS), f"clicks after {what}")
        until(lambda: self.load.fallbacks[None] > ranked, f"ranked lists after {what}")

    def takes_part(self, name: str) -> None:
        """Wait until a service that was started answers requests of the others."""
        until(lambda: self._many.answered(name) > 0, f"{name} to answer", pause_s=0.1)


@contextmanager
def watched(many: Many, what: str) -> Iterator[Watch]:
    """Send load during the block, and print what came of it: no read failed, each acknowledged event counts once."""
    watch = Watch(many)
    load = watch.load
    try:
        watch.goes_on("the start")
        yield watch
        watch.goes_on("all of it")
    finally:
        load.stop()
    with closing(KafkaEventLog(many.log, timeout_s=60)) as log:
        found = Counter((event.user_id, event.event_id) for _, event in log.read())
    acknowledged = {(user, event_id) for user, ids in load.acknowledged.items() for event_id in ids}
    fallbacks = {level: count for level, count in load.fallbacks.items() if level}
    print(
        f"{what}: {sum(load.answers.values())} reads, {sum(load.answers.values()) - load.answers[200]} failed, "
        f"{sum(fallbacks.values())} by a fallback {fallbacks}, slowest {load.slowest_s:.1f} s; "
        f"{len(acknowledged)} events acknowledged, {len(acknowledged - set(found))} lost, refused {dict(load.refused)}"
    )
    assert set(load.answers) == {200}, load.answers
    assert acknowledged <= set(found)
    distinct = Counter(user for user, _ in found)  # one that was sent again may be in the log twice
    with closing(RedisStateStore(many.variables["GARS_STATE_STORE"])) as states:

        def versions() -> dict[str, int]:
            return {user: state.version for user, state in states.get_many(USERS).items()}

        until(lambda: versions() == distinct, "states that count each event once")


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the packages of an old commit; it needs the history of git."""
    folder = tmp_path_factory.mktemp("old-code")
    root = Path(__file__).parents[2]
    if subprocess.run(["git", "-C", root, "cat-file", "-e", OLD_COMMIT], capture_output=True, check=False).returncode:
        pytest.skip(f"commit {OLD_COMMIT} is not here: git fetch --unshallow")
    packed = subprocess.run(["git", "-C", root, "archive", OLD_COMMIT, "src"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return folder / "src"


def test_code_is_upgraded_one_by_one(many: Many, old_code: Path) -> None:
    """A new api asks old stages, and an old one new stages; that has one address of each, and falls back without it."""
    many.start_all(code=old_code)
    with watched(many, "another version of the code") as watch:
        for name in ("api-1", "recall-1", "rank-1", "recall-2", "rank-2", "api-2"):
            many.start(name)
            watch.takes_part(name)
            watch.goes_on(f"{name} was upgraded")


def test_one_of_each_is_killed(many: Many) -> None:
    many.start_all()
    with watched(many, "one of each killed") as watch:
        for name in ("recall-1", "rank-1", "api-1"):
            many.kill(name)
            watch.goes_on(f"{name} was killed")
            many.running[name].up()
            watch.takes_part(name)
        many.kill("api-2")
        many.start("api-3")  # at another address
        many.goes_to(1, 3)
        watch.takes_part("api-3")
    assert set(watch.load.fallbacks) == {None}, watch.load.fallbacks


def test_a_third_comes_and_goes(many: Many) -> None:
    many.start_all()
    with watched(many, "scaled out and in") as watch:
        for name in THIRD:
            many.start(name)
        many.goes_to(1, 2, 3)
        for name in THIRD:
            watch.takes_part(name)
        for name in THIRD:
            many.stop(name)
            watch.goes_on(f"{name} was stopped")  # nginx and the apis still name it
    assert set(watch.load.fallbacks) == {None}, watch.load.fallbacks


def test_a_taskmanager_is_killed_and_the_other_one_goes_on(many: Many) -> None:
    many.start_all()
    flink = many.flink.engine
    assert isinstance(flink, Flink)
    (job,) = flink.rest.live_jobs()

    def workers() -> set[str]:
        """Return the TaskManagers in which the job has tasks."""
        ids = [one["id"] for one in flink.rest.ask(f"/jobs/{job}")["vertices"]]
        found = [flink.rest.ask(f"/jobs/{job}/vertices/{one}/taskmanagers")["taskmanagers"] for one in ids]
        return {str(one["taskmanager-id"]) for tasks in found for one in tasks}

    until(lambda: len(flink.rest.ask("/taskmanagers")["taskmanagers"]) == 2, "both TaskManagers")
    (before,) = workers()
    with watched(many, "a TaskManager killed") as watch:
        (many.second if before == "second" else many.flink.daemon("taskmanager")).kill()
        watch.goes_on("the TaskManager was killed")
        until(lambda: before not in workers() and flink.rest.job_problem() is None, "the job to go on in the other one")


def test_a_click_is_one_trace_to_redis(many: Many) -> None:
    many.start("clicks-1", traces=many.collector.address)
    body = {"user_id": USERS[0], "anime_id": 1, "kind": "click"}
    address = f"http://127.0.0.1:{many.port('clicks-1')}/api/v1/interactions"
    assert httpx.post(address, json=body, timeout=60).status_code == 202
    written = "gars-features redis write state"
    until(lambda: len(many.collector.path_to(written)) > 3, "spans of the feature job and of the request", pause_s=0.1)
    assert many.collector.path_to(written) == [
        "gars-clicks POST /api/v1/interactions",
        "gars-clicks many.interactions send",
        "gars-features many.interactions process",
        written,
    ]


def test_model_is_upgraded_one_by_one(many: Many) -> None:
    """Of each stage one first, then the apis, then the others: an api always finds both stages of its model."""
    many.start_all()
    with watched(many, "another model") as watch:
        until(lambda: len(watch.load.lists) == 1, "a list by the first model")
        for name in ("recall-1", "rank-1", "api-1", "api-2", "recall-2", "rank-2"):
            many.start(name, SECOND)
            watch.goes_on(f"{name} was upgraded")
        for name in SERVICES:
            watch.takes_part(name)
    assert set(watch.load.fallbacks) == {None}, watch.load.fallbacks
    # each list is by one model: rows of the one and the catalogue of the other would make a third
    assert len(watch.load.lists) == 2, watch.load.lists
