"""What the stack of one machine is: which engines and services, in which order, on which ports, in which folders."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from gars.config import Settings
from gars.datasets.durable import write_whole
from gars.domain.errors import InvalidInputError
from gars.entrypoints.stack.engine import Engine, StackError
from gars.entrypoints.stack.kafka import Kafka
from gars.entrypoints.stack.ports import free_ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens, on 127.0.0.1."""

    kafka: int = 9092
    kafka_controller: int = 9093


def folder(settings: Settings) -> Path:
    """Where the stack keeps its data, logs and pid files."""
    return settings.home.resolve() / "stack"


def ports_of(settings: Settings, *, free: bool = False) -> Ports:
    """The ports this stack was first started with, else the usual ones, or ``free`` ones; kept for the next command."""
    file = folder(settings) / "ports.json"
    if file.is_file():
        try:
            held = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
            return Ports(**{**_new(free), **{name: port for name, port in held.items() if name in _new(False)}})
        except (msgspec.DecodeError, TypeError) as error:
            raise StackError(
                f"{file} cannot be read: {error}", hint="delete it when nothing of the stack runs"
            ) from error
    return Ports(**_new(free))


def keep_ports(settings: Settings, ports: Ports) -> None:
    """Remember them, so that ``status`` and ``down`` look where ``up`` started."""
    folder(settings).mkdir(parents=True, exist_ok=True)
    write_whole(folder(settings) / "ports.json", msgspec.json.encode(asdict(ports)))


def engines_of(settings: Settings, ports: Ports) -> list[Engine]:
    """Every part, in the order they start."""
    where = folder(settings)
    return [
        Kafka(
            folder=where / Kafka.name,
            engines=settings.engines,
            port=ports.kafka,
            controller_port=ports.kafka_controller,
        ),
    ]


def chosen(engines: list[Engine], names: list[str]) -> list[Engine]:
    """Those of these names in their order, all for none; raises ``InvalidInputError`` for a name that is none."""
    known = [engine.name for engine in engines]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInputError(f"the stack has no {', '.join(unknown)}", hint=f"it has {', '.join(known)}")
    return [engine for engine in engines if not names or engine.name in names]


def _new(free: bool) -> dict[str, int]:
    names = [one.name for one in fields(Ports)]
    return dict(zip(names, free_ports(len(names)), strict=True)) if free else asdict(Ports())
