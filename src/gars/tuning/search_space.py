"""The settings a search may change, and to what, as a TOML or JSON file.

A setting stands where it stands in a configuration, with the values to choose from (``embedding = [4, 8]``) or bounds
(``dropout = {low = 0.0, high = 0.4}``; ``log = true`` for a scale on which each order of magnitude is as likely).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from gars.domain.errors import InvalidInputError
from gars.library import configuration
from gars.library.fit_config import FitConfig
from gars.tuning.search import Choice, Range

DEFAULT = Path(__file__).with_name("search_space.toml")


class _Bounds(msgspec.Struct, forbid_unknown_fields=True):
    low: float
    high: float
    log: bool = False


def read(path: Path = DEFAULT) -> dict[str, Choice | Range]:
    """The space in a file.

    Raises:
        InvalidInputError: it cannot be read, names a setting that does not exist, or values one cannot have.
    """
    known = dict(configuration.settings())
    space = {}
    for name, values in _leaves(configuration.read_table(path)):
        configuration.check_known(name, known, where=str(path))
        space[name] = _dimension(name, values, known, where=str(path))
    if not space:
        raise InvalidInputError(f"{path} names no setting to search over", hint="such as [ranking] embedding = [4, 8]")
    return space


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping) and not {"low", "high"} & set(value):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _dimension(name: str, values: Any, known: Mapping[str, Any], *, where: str) -> Choice | Range:
    try:
        if isinstance(values, list) and values:
            for value in values:
                configuration.changed(FitConfig(), {name: value})
            return Choice(tuple(values))
        if isinstance(values, Mapping):
            bounds = msgspec.convert(values, _Bounds)
            for end in ("low", "high"):
                configuration.changed(FitConfig(), {name: values[end]})
            if bounds.low >= bounds.high or (bounds.log and bounds.low <= 0):
                raise msgspec.ValidationError("low must be below high, and above 0 on a log scale")
            return Range(bounds.low, bounds.high, bounds.log, whole=_kind(name, known) is int)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"{where}: {name}: {error}", hint="docs/how-to/tune.md shows a space") from error
    raise InvalidInputError(
        f"{where}: {name} = {values!r} is nothing to choose from", hint="a list of values, or {low = …, high = …}"
    )


def _kind(name: str, known: Mapping[str, Any]) -> Any:
    """The type of a setting, or of the values of the table it is a key of."""
    return known[name] if name in known else get_args(known[name.rpartition(".")[0]])[1]
