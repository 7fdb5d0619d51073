"""Join sources by anime id, field by field, and remember which source each value is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from gars.datasets.schema import CATALOGUE, LISTS

Sources = Mapping[str, pl.DataFrame]
"""Name of a source → its rows: ``anime_id``, once each, and any columns of the catalogue."""
JOINED_NAMES = "+"
"""Between the names of the sources that a list was united from."""


def join_fields(
    sources: Sources, precedence: Mapping[str, Sequence[str]], united: frozenset[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the catalogue's fields and, in the same rows and columns, the source of each value.

    ``precedence`` names for each field the sources that may fill it, the first that knows a value wins; sources that
    are not there are passed over. Lists in ``united`` are joined in that order, without repeats.
    The rows are all ids of all sources, ascending.
    """
    ids = pl.concat([frame.select("anime_id") for frame in sources.values()]).unique().sort("anime_id")
    values, origins = [ids["anime_id"]], [ids["anime_id"]]
    aligned = {
        name: ids.join(frame, on="anime_id", how="left", maintain_order="left") for name, frame in sources.items()
    }
    for field, names in precedence.items():
        columns = [
            (name, aligned[name][field].cast(CATALOGUE[field]))
            for name in names
            if name in aligned and field in aligned[name].columns
        ]
        value, origin = _united(field, columns) if field in united else _first(field, columns)
        values.append(value if len(value) else pl.Series(field, [None] * ids.height, CATALOGUE[field]))
        origins.append(origin if len(origin) else pl.Series(field, [None] * ids.height, pl.String))
    return pl.DataFrame(values), pl.DataFrame(origins)


def _first(field: str, columns: Sequence[tuple[str, pl.Series]]) -> tuple[pl.Series, pl.Series]:
    """Return the first value that is not missing; an empty list is missing."""
    if not columns:
        return pl.Series(field, [], CATALOGUE[field]), pl.Series(field, [], pl.String)
    frame = pl.DataFrame([column.alias(name) for name, column in columns])
    known = {name: _is_known(field, pl.col(name)) for name, _ in columns}
    chosen = frame.select(
        pl.coalesce(pl.when(known[name]).then(pl.col(name)) for name, _ in columns).alias(field),
        pl.coalesce(pl.when(known[name]).then(pl.lit(name)) for name, _ in columns).alias("origin"),
    )
    return chosen[field], chosen["origin"].alias(field)


def _united(field: str, columns: Sequence[tuple[str, pl.Series]]) -> tuple[pl.Series, pl.Series]:
    """Return the union of all lists, in order and without repeats."""
    if not columns:
        return pl.Series(field, [], CATALOGUE[field]), pl.Series(field, [], pl.String)
    frame = pl.DataFrame([column.alias(name) for name, column in columns])
    chosen = frame.select(
        pl.concat_list(pl.col(name).fill_null(pl.lit([], dtype=CATALOGUE[field])) for name, _ in columns)
        .list.unique(maintain_order=True)
        .alias(field),
        pl.concat_str(
            (pl.when(_is_known(field, pl.col(name))).then(pl.lit(name)) for name, _ in columns),
            separator=JOINED_NAMES,
            ignore_nulls=True,
        ).alias("origin"),
    )
    return chosen[field], chosen["origin"].replace("", None).alias(field)


def _is_known(field: str, column: pl.Expr) -> pl.Expr:
    return column.list.len() > 0 if field in LISTS else column.is_not_null()
