"""Read the settings from the environment, and write their table for ``docs/settings.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args

from gars.config.settings import CoverMode, LogFormat, LogLevel, Settings
from gars.domain.errors import InvalidInputError

_SECRETS = ("GARS_SERVICE_TOKEN", "GARS_ADMIN_TOKEN")
_SHORTEST_SECRET = 16


def from_environment(environment: Mapping[str, str], *, home: Path | None = None) -> Settings:
    """Read the settings; ``home`` wins over GARS_HOME.

    Raises:
        InvalidInputError: a value that cannot be read, or a ``GARS_…`` variable that is no setting.
    """
    known = {str(setting.metadata["name"]) for setting in fields(Settings)}
    unknown = sorted(name for name in environment if name.startswith("GARS_") and name not in known)
    if unknown:
        raise InvalidInputError(
            f"no such setting: {', '.join(unknown)}", hint=f"the settings are {', '.join(sorted(known))}"
        )
    home = home or Path(environment.get("GARS_HOME") or "var")
    values: dict[str, Any] = {setting.name: _read(setting, environment, home) for setting in fields(Settings)}
    return Settings(**{**values, "home": home})


def _read(setting: Field[Any], environment: Mapping[str, str], home: Path) -> object:
    name = str(setting.metadata["name"])
    text = environment.get(name) or str(setting.metadata["default"]).replace("{home}", str(home))
    try:
        value = _READERS[str(setting.type)](text)
        if name in _SECRETS and 0 < len(text) < _SHORTEST_SECRET:
            raise ValueError(f"a secret needs at least {_SHORTEST_SECRET} characters")
        return value
    except ValueError as error:
        shown = name if not setting.repr else f"{name}={text!r}"
        raise InvalidInputError(f"{shown}: {error}", hint=str(setting.metadata["doc"])) from error


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("not a whole number from 0 up")
    return int(text)


def _share(text: str) -> float:
    share = float(text) if text.replace(".", "", 1).isdecimal() else -1.0
    if not 0 <= share <= 1:
        raise ValueError("not a number from 0 to 1")
    return share


def _switch(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("neither on nor off")
    return text.lower() == "on"


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"not one of {', '.join(words)}")
        return text.lower()

    return read


_READERS: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": _whole_number,
    "float": _share,
    "bool": _switch,
    "CoverMode": _one_of(get_args(CoverMode)),
    "LogLevel": _one_of(get_args(LogLevel)),
    "LogFormat": _one_of(get_args(LogFormat)),
    "Path": lambda text: Path(text).expanduser(),
    "Path | None": lambda text: Path(text) if text else None,
}


def documentation() -> str:
    """The table of ``docs/settings.md``."""
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for setting in fields(Settings):
        default = f"`{setting.metadata['default']}`" if setting.metadata["default"] else "(empty)"
        lines.append(f"| `{setting.metadata['name']}` | {default} | {setting.metadata['doc']} |")
    return "\n".join(lines) + "\n"
