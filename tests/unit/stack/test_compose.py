"""The containers are started as the launcher starts its processes: one truth, compared here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from gars.config import from_environment
from gars.entrypoints.api import page as page_routes
from gars.entrypoints.api import security, server
from gars.entrypoints.cli.app import app as cli
from gars.stack import healthy, kafka, plan, publish, web
from gars.stack.flink import Flink
from gars.stack.services import COMMANDS

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OF_PARTS = {"backfill": ["prepare"], "flink": ["jobmanager", "taskmanager", "feature-job"]}
"""Parts of the launcher that are other services here."""
SECRET = "/run/secrets/tombstone_key"
"""Where every container has the key of the tombstones, which the launcher keeps in a file of its home."""
ONE_SHOT = {"prepare", "publish", "train"}


@pytest.fixture
def stack(tmp_path: Path) -> plan.Stack:
    return plan.stack_of(from_environment({}, home=tmp_path), plan.Ports())


def pom_version(engine: str) -> str:
    found = re.search(r"<artifactId>\w+</artifactId>\s*<version>([^<]+)", (DEPLOY / engine / "pom.xml").read_text())
    assert found is not None
    return found[1]


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def test_every_part_has_its_container(stack: plan.Stack) -> None:
    wanted = {name for part in stack.parts for name in OF_PARTS.get(part.name, [part.name])}
    assert wanted <= set(SERVICES)


def test_versions_are_those_of_the_launcher() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{pom_version('kafka')}"
    assert f"ARG CASSANDRA=cassandra:{pom_version('cassandra')}\n" in (DEPLOY / "cassandra" / "Dockerfile").read_text()


def test_addresses_are_those_of_the_launcher(stack: plan.Stack) -> None:
    for name in COMMANDS:
        here = {key: value for key, value in SERVICES[name]["environment"].items() if key != "GARS_SERVICE_TOKEN"}
        # of the operator's shell, as the launcher's processes have them
        assert here.pop("GARS_TRACES") == "${GARS_TRACES:-}"
        assert here.pop("GARS_TRACE_SHARE") == f"${{GARS_TRACE_SHARE:-{from_environment({}).trace_share:g}}}"
        there = {key: value for key, value in stack.environment.items() if key != "GARS_HOME"}
        assert there.pop("GARS_TOMBSTONE_KEY")
        assert here.pop("GARS_TOMBSTONE_KEY") == SECRET
        assert SERVICES[name]["secrets"] == [Path(SECRET).name]
        assert {key: _without_host(value) for key, value in here.items()} == {
            key: _without_host(value) for key, value in there.items()
        }
        assert {_host(value) for value in here.values()} <= set(SERVICES)
        from_environment({**here, "GARS_TOMBSTONE_KEY": SECRET, "GARS_SERVICE_TOKEN": "a long random word"})


def _host(address: str) -> str:
    found = re.search(r"//(\w+):\d+", address)
    assert found is not None
    return found[1]


def _without_host(address: str) -> str:
    return re.sub(r"//[\w.]+:\d+", "", address)


@pytest.mark.parametrize("name", COMMANDS)
def test_services_are_started_with_the_same_words(name: str) -> None:
    words = SERVICES[name]["command"]
    arguments = list(COMMANDS[name].arguments)
    assert words[: len(arguments)] == arguments
    if COMMANDS[name].listens:
        assert words[len(arguments) :] == ["--host", "0.0.0.0", "--port", "8000"]
    else:
        assert words[len(arguments) :] == ["--heartbeat", SERVICES[name]["healthcheck"]["test"][-1]]


def test_the_model_is_published_with_the_same_words() -> None:
    assert SERVICES["publish"]["command"] == list(publish.COMMAND)


@pytest.mark.parametrize("name", [*COMMANDS, "publish", "train"])
def test_the_command_line_understands_them(name: str) -> None:
    command: Any = typer.main.get_command(cli)
    words = list(SERVICES[name]["command"])
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(name, words)


def test_kafka_has_the_launchers_configuration(stack: plan.Stack, tmp_path: Path) -> None:
    ours = SERVICES["kafka"]
    assert "./kafka/server.properties:/mnt/shared/config/server.properties:ro" in ours["volumes"]
    settings = properties((DEPLOY / "kafka" / "server.properties").read_text())
    assert f"kafka:{settings['log.dirs']}" in ours["volumes"]
    assert ours["environment"]["CLUSTER_ID"] == vars(kafka)["_CLUSTER_ID"]
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", ".")
        for name in ours["environment"]
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }
    (part,) = stack.chosen(["kafka"])
    assert isinstance(part, kafka.Kafka)
    of_machine = set(properties(part.of_this_machine()))
    # the image formats its folder for voters named beforehand; the launcher finds its controller by address
    assert given == of_machine - {"log.dirs", "controller.quorum.bootstrap.servers"} | {"controller.quorum.voters"}


def test_redis_and_cassandra_have_the_launchers_configuration() -> None:
    assert "./redis/redis.conf:/etc/redis/redis.conf:ro" in SERVICES["redis"]["volumes"]
    assert SERVICES["redis"]["command"][:2] == ["redis-server", "/etc/redis/redis.conf"]
    assert "cassandra.yaml /etc/cassandra/cassandra.yaml" in (DEPLOY / "cassandra" / "Dockerfile").read_text()
    settings = yaml.safe_load((DEPLOY / "cassandra" / "cassandra.yaml").read_text())
    assert "cassandra:/var/lib/cassandra" in SERVICES["cassandra"]["volumes"]
    assert all(one.startswith("/var/lib/cassandra/") for one in settings["data_file_directories"])


def test_the_page_is_served_with_the_launchers_configuration(stack: plan.Stack) -> None:
    (part,) = stack.chosen(["web"])
    assert isinstance(part, web.Web)
    assert SERVICES["web"]["command"] == list(web.COMMAND)
    text = "".join((DEPLOY / "web" / name).read_text() for name in web.CONFIGURATION)
    image = (DEPLOY / "Dockerfile").read_text()
    assert "COPY deploy/web/nginx.conf deploy/web/upstream.conf /etc/nginx/" in image
    assert "COPY --from=page /web/dist /usr/share/nginx/html" in image
    assert SERVICES["web"]["ports"] == ["127.0.0.1:${GARS_WEB_PORT:-8080}:8080"]
    assert SERVICES["api"]["command"][-2:] == ["--port", "8000"]
    for there in part.of_this_machine():  # each is there to be replaced, once but for the folders of temporary files
        assert text.count(there) == (6 if there == " /tmp/" else 1), there


def test_docker_resolves_the_api_again() -> None:
    """But for that, the two ways to the api are the same."""
    fixed, resolved = ((DEPLOY / "web" / name).read_text() for name in ("upstream.conf", "upstream.docker.conf"))
    mounted = SERVICES["web"]["volumes"]
    assert mounted == ["./web/upstream.docker.conf:/etc/nginx/upstream.conf:ro"]
    only_resolved = {"resolver 127.0.0.11 valid=2s ipv6=off;", "zone api 64k;"}
    assert directives(resolved.replace(" resolve ", " ")) - only_resolved == directives(fixed)
    assert resolved.count("server api:8000 resolve ") == fixed.count("server api:8000 ")


def directives(text: str) -> set[str]:
    """Lines of an nginx configuration that are no comments."""
    return {line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")}


def test_the_page_has_the_headers_of_the_api() -> None:
    text = (DEPLOY / "web" / "nginx.conf").read_text()
    page = text.partition("location / {")[2].partition("location = /")[0]
    given = re.findall(r'add_header (\S+) "?([^"]+?)"? always;', page)
    assert dict(given) == security.HEADERS
    assert len(given) == len(security.HEADERS)
    assert web.PAGE == page_routes.FOLDER


def test_the_way_to_the_api_lets_through_what_the_api_takes() -> None:
    text = (DEPLOY / "web" / "nginx.conf").read_text()
    settings = from_environment({})
    assert re.findall(r"client_max_body_size (\d+);", text) == [
        str(settings.max_body_bytes),
        str(settings.max_list_bytes),
    ]


def test_the_feature_job_is_submitted_with_the_same_words(
    stack: plan.Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run: list[str] = []

    def submitted(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        run.extend(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", submitted)
    (part,) = stack.chosen(["flink"])
    assert isinstance(part, Flink)
    part.submit()
    theirs = run[run.index("--brokers") :]
    script, *ours = SERVICES["feature-job"]["command"]
    assert ours[::2] == theirs[::2]
    values, expected = ([_without_host(f"//{word}") for word in words[1::2]] for words in (ours, theirs))
    assert values[:-1] == expected[:-1]
    assert ours[-2:] == ["--tombstone-key", SECRET]
    assert SERVICES["taskmanager"]["secrets"] == SERVICES["feature-job"]["secrets"] == [Path(SECRET).name]
    assert "--pyModule gars.entrypoints.feature_job" in (DEPLOY / "flink" / Path(script).name).read_text()
    assert "--pyModule gars.entrypoints.feature_job" in " ".join(run)
    assert "--traces" not in run
    assert SERVICES["feature-job"]["environment"] == {"GARS_TRACES": "${GARS_TRACES:-}"}
    run.clear()
    traces = from_environment({"GARS_TRACES": "http://127.0.0.1:4318"}, home=tmp_path)
    (part,) = plan.stack_of(traces, plan.Ports()).chosen(["flink"])
    assert isinstance(part, Flink)
    part.submit()
    assert run[-2:] == ["--traces", "http://127.0.0.1:4318"]


def test_flink_keeps_its_checkpoints_where_the_volume_is() -> None:
    settings = yaml.safe_load((DEPLOY / "flink" / "config.yaml").read_text())
    for name in ("execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"):
        assert settings[name].startswith("file:///var/lib/flink/")
    for name in ("jobmanager", "taskmanager"):
        assert SERVICES[name]["volumes"] == ["flink:/var/lib/flink"]
        assert SERVICES[name]["command"][:2] == [f"{name}.sh", "start-foreground"]


def test_what_must_come_first_is_waited_for() -> None:
    for name in [*COMMANDS, "publish"]:
        first = "publish" if name == "recall" else "prepare"
        assert SERVICES[name]["depends_on"] == {first: {"condition": "service_completed_successfully"}}
    assert set(SERVICES["prepare"]["depends_on"]) == {"kafka", "redis", "cassandra"}
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_everything_that_stays_is_asked_how_it_does_and_keeps_its_data() -> None:
    images = (DEPLOY / "Dockerfile").read_text() + (DEPLOY / "cassandra" / "Dockerfile").read_text()
    assert images.count("HEALTHCHECK --") == 4
    for name, service in SERVICES.items():
        if name in ONE_SHOT:
            assert service["healthcheck"] == {"disable": True}
        else:
            assert service["restart"] == "unless-stopped"
            assert "healthcheck" in service or "build" in service, name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_containers_may_finish_what_they_do_before_they_are_killed() -> None:
    longest_s = from_environment({}).stop_timeout_ms / 1000 + vars(server)["_CLOSING_S"]
    for name in set(SERVICES) - ONE_SHOT:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > longest_s, name


def test_an_engine_that_hangs_is_noticed() -> None:
    for name in ("kafka", "redis"):  # the others have the timeouts of their images
        assert int(SERVICES[name]["healthcheck"]["timeout"].removesuffix("s")) <= 30, name


def test_only_this_machine_reaches_the_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "GARS_SERVICE_TOKEN:?" in (DEPLOY / "compose.yaml").read_text()


def test_images_run_as_a_plain_user_and_copy_existing_files() -> None:
    stages = re.split(r"(?m)^FROM ", (DEPLOY / "Dockerfile").read_text())[1:]
    assert len(stages) > 4  # what builds stays out of what runs
    for stage in stages:
        name = stage.partition("\n")[0].rpartition(" AS ")[2]
        if name in ("gars", "flink", "web"):
            assert re.search(rf"(?m)^USER {'nginx' if name == 'web' else name}$", stage)
        for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", stage):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), source
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for source in ("src", "web", "deploy", "pyproject.toml", "requirements/cluster.lock", "requirements/serve.lock"):
        assert f"!{source}\n" in ignored


def test_the_image_listens_and_caches_where_it_can() -> None:
    image = (DEPLOY / "Dockerfile").read_text().partition(" AS gars\n")[2].partition("\nFROM ")[0]
    assert 'CMD ["serve", "--host", "0.0.0.0"]' in image
    (volume,) = re.findall(r"(?m)^VOLUME (\S+)$", image)
    for cache in ("NUMBA_CACHE_DIR", "PYTHONPYCACHEPREFIX"):
        assert re.search(rf"(?m)^ENV .*\b{cache}={volume}/", image)


def test_containers_write_only_where_it_is_named() -> None:
    for name, service in SERVICES.items():
        if name in ("kafka", "cassandra"):  # their images write the configuration they start with
            continue
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name != "redis":
            assert service["tmpfs"] == (["/tmp:exec"] if service["image"] == "gars-flink" else ["/tmp"]), name
    assert "state.backend.rocksdb.localdir=/var/lib/flink/rocksdb" in SERVICES["taskmanager"]["command"]


def test_what_serves_carries_no_training() -> None:
    lock = (ROOT / "requirements" / "serve.lock").read_text()
    names = set(re.findall(r"(?m)^([\w.-]+)==", lock))
    assert {"litestar", "confluent-kafka", "cassandra-driver", "redis", "numba"} <= names
    assert not names & {"jax", "keras", "gensim", "implicit"}
    pinned = re.findall(r"(?m)^[\w.-]+==[^ ]+", (ROOT / "requirements" / "cluster.lock").read_text())
    assert set(re.findall(r"(?m)^[\w.-]+==[^ ]+", lock)) <= set(pinned)
    image = (DEPLOY / "Dockerfile").read_text()
    assert "cluster.lock" not in image.partition(" AS gars\n")[0]
    assert SERVICES["train"]["build"]["target"] == "train"


def test_cassandra_is_asked_where_it_listens() -> None:
    environment = SERVICES["cassandra"]["environment"]
    assert "cqlsh" in (DEPLOY / "cassandra" / "Dockerfile").read_text()
    assert environment["CQLSH_HOST"] == environment["CASSANDRA_RPC_ADDRESS"]


def test_health_checks_can_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heartbeat = tmp_path / "heartbeat"
    assert healthy.main(str(heartbeat)) == 1
    assert capsys.readouterr().err == "it has done nothing yet\n"
    heartbeat.touch()
    assert healthy.main(str(heartbeat)) == 0
    assert healthy.main("http://127.0.0.1:9/api/v1/health/ready") == 1
    assert "it does not answer at http://127.0.0.1:9" in capsys.readouterr().err
