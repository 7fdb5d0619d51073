"""``FitConfig`` as a file: TOML or JSON, any part of it; what is not named keeps its default."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gars.datasets.durable import write_whole
from gars.domain.errors import InvalidInputError
from gars.library.fit_config import FitConfig


def read(path: Path) -> FitConfig:
    """The configuration in a file: JSON if its name ends so, else TOML.

    Raises:
        InvalidInputError: there is no such file, it cannot be read, names a setting that does not exist, or gives one a
            value it cannot have.
    """
    table = read_table(path)
    known = dict(settings())
    for name in flat_names(table, FitConfig):
        check_known(name, known, where=str(path))
    try:
        return changed(FitConfig(), table)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"{path}: {error}", hint="docs/how-to/tune.md shows a configuration") from error


def write(path: Path, config: FitConfig) -> None:
    """Write a whole configuration as JSON, to be read by ``read``."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")


def read_table(path: Path) -> dict[str, Any]:
    """The table in a TOML or JSON file, unchecked.

    Raises:
        InvalidInputError: there is no such file, or it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", hint="give the path of a file") from error
    except (UnicodeDecodeError, msgspec.DecodeError, tomllib.TOMLDecodeError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise InvalidInputError(f"{path} is not {kind}: {error}", hint="a file in JSON has a name in .json") from error
    if not isinstance(table, dict):
        raise InvalidInputError(f"{path} holds no table of settings", hint='such as {"ranking": {"epochs": 3}}')
    return table


def changed(config: FitConfig, settings: Mapping[str, Any]) -> FitConfig:
    """A configuration with some settings changed, given as nested tables or by dotted names.

    Raises:
        msgspec.ValidationError: a setting cannot have such a value.
    """
    table = msgspec.to_builtins(config)
    for name, value in settings.items():
        _put(table, name.split("."), value)
    return msgspec.convert(table, FitConfig)


def settings(kind: type[msgspec.Struct] = FitConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting by its dotted name, with its type."""
    for field in msgspec.structs.fields(kind):
        name = prefix + field.name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings(field.type, name + ".")
        else:
            yield name, field.type


def flat_names(table: Mapping[str, Any], kind: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names a table gives values to; a table inside a setting that is no part stays whole."""
    parts = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in table.items():
        part = parts.get(name)
        if isinstance(value, Mapping) and isinstance(part, type) and issubclass(part, msgspec.Struct):
            yield from flat_names(value, part, f"{prefix}{name}.")
        else:
            yield prefix + name


def check_known(name: str, known: Mapping[str, Any], *, where: str) -> None:
    """Stop at a name that is no setting, nor a key of one that is a table.

    Raises:
        InvalidInputError: with the nearest name there is, or all of them.
    """
    if name in known or any(name.startswith(f"{table}.") for table, kind in known.items() if _is_table(kind)):
        return
    near = difflib.get_close_matches(name, known, n=1) or [
        other for other in known if other.endswith("." + name.rpartition(".")[2])
    ]
    raise InvalidInputError(
        f"{where}: there is no setting {name}",
        hint=f"did you mean {near[0]}?" if near else f"the settings are {', '.join(sorted(known))}",
    )


def _is_table(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is dict


def _put(table: dict[str, Any], path: list[str], value: Any) -> None:
    if len(path) > 1:
        _put(table.setdefault(path[0], {}), path[1:], value)
    elif isinstance(value, Mapping) and isinstance(table.get(path[0]), dict):
        for name, inner in value.items():
            _put(table[path[0]], [name], inner)
    else:
        table[path[0]] = value
