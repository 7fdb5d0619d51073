"""Plan of the stack of one machine: engines and services with their order, ports and folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from gars.config import Settings, from_environment
from gars.datasets.durable import write_whole
from gars.domain.errors import InvalidInputError
from gars.runtime.free_ports import free_ports
from gars.stack.backfill import Backfill
from gars.stack.cassandra import Cassandra
from gars.stack.engine import Engine, StackError
from gars.stack.flink import Flink
from gars.stack.kafka import Kafka
from gars.stack.publish import Publish
from gars.stack.redis import Redis
from gars.stack.services import COMMANDS, Service
from gars.stack.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports of all processes, on 127.0.0.1."""

    kafka: int = 9092
    kafka_controller: int = 9093
    redis: int = 6379
    cassandra: int = 9042
    cassandra_storage: int = 7000
    cassandra_jmx: int = 7199
    flink: int = 8081
    flink_rpc: int = 6123
    api: int = 8000
    clicks: int = 8001
    recall: int = 8002
    rank: int = 8003
    web: int = 8080


@dataclass(frozen=True, slots=True)
class Stack:
    """The parts in start order, and the environment of processes that use them."""

    parts: Sequence[Engine]
    environment: Mapping[str, str]
    """Settings: the addresses of the engines. They are all that differs from one process on one machine."""

    def chosen(self, names: Sequence[str]) -> list[Engine]:
        """The parts of these names in their order, all for none; raises ``InvalidInputError`` for another name."""
        known = [part.name for part in self.parts]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise InvalidInputError(f"the stack has no {', '.join(unknown)}", hint=f"it has {', '.join(known)}")
        return [part for part in self.parts if not names or part.name in names]


def stack_of(settings: Settings, ports: Ports, *, options: Sequence[str] = ()) -> Stack:
    """The whole stack of a folder; ``options`` are given to the services that need a model, for tests."""
    home, where = settings.home.resolve(), folder(settings)
    kafka = Kafka(
        folder=where / Kafka.name,
        engines=settings.engines,
        port=ports.kafka,
        controller_port=ports.kafka_controller,
        kept_days=settings.log_days,
    )
    redis = Redis(folder=where / Redis.name, port=ports.redis)
    cassandra = Cassandra(
        folder=where / Cassandra.name,
        engines=settings.engines,
        port=ports.cassandra,
        storage_port=ports.cassandra_storage,
        jmx_port=ports.cassandra_jmx,
    )
    tombstone_key = home / "redis.key"
    flink = Flink(
        folder=where / Flink.name,
        engines=settings.engines,
        kafka=kafka.address,
        redis=redis.url,
        tombstone_key=tombstone_key,
        traces=settings.traces,
        port=ports.flink,
        rpc_port=ports.flink_rpc,
    )
    environment = {
        "GARS_HOME": str(home),
        "GARS_EVENT_LOG": kafka.url,
        "GARS_STATE_STORE": redis.url,
        "GARS_CHANGE_FEED": redis.url,
        "GARS_HISTORY": cassandra.url,
        "GARS_IMPRESSIONS": kafka.url,
        "GARS_TOMBSTONES": cassandra.url,
        "GARS_TOMBSTONE_KEY": str(tombstone_key),
        "GARS_RECALL": f"http://127.0.0.1:{ports.recall}",
        "GARS_RANK": f"http://127.0.0.1:{ports.rank}",
    }
    services = [
        Service(
            name,
            folder=where / name,
            home=home,
            environment=environment,
            port=getattr(ports, name) if command.listens else None,
            options=options if command.needs_model else (),
        )
        for name, command in COMMANDS.items()
    ]
    inside = from_environment(environment, home=home)
    of_the_model = [
        part(folder=where / part.name, settings=inside, variables=environment) for part in (Backfill, Publish)
    ]
    web = Web(folder=where / Web.name, apis=[f"127.0.0.1:{ports.api}"], port=ports.web)
    before = [] if options else of_the_model
    return Stack([kafka, redis, cassandra, *before, flink, *services, web], environment)


def folder(settings: Settings) -> Path:
    """Return the folder of the stack's data, logs and pid files."""
    return settings.home.resolve() / "stack"


def ports_of(settings: Settings, *, free: bool = False) -> Ports:
    """The ports this stack was first started with, else the usual ones, or ``free`` ones."""
    file = _ports_file(settings)
    try:
        held = msgspec.json.decode(file.read_bytes(), type=dict[str, int]) if file.is_file() else {}
    except (msgspec.DecodeError, OSError) as error:
        raise StackError(f"{file} cannot be read: {error}", hint="delete it when nothing of the stack runs") from error
    names = [one.name for one in fields(Ports)]
    new = dict(zip(names, free_ports(len(names)), strict=True)) if free else asdict(Ports())
    return Ports(**{name: held.get(name, new[name]) for name in names})


def keep_ports(settings: Settings, ports: Ports) -> None:
    """Remember them, so that ``status`` and ``down`` look where ``up`` started."""
    folder(settings).mkdir(parents=True, exist_ok=True)
    write_whole(_ports_file(settings), msgspec.json.encode(asdict(ports)))


def _ports_file(settings: Settings) -> Path:
    return folder(settings) / "ports.json"
