"""Rich tables that ``gars data`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gars.datasets.acceptance import Validation
from gars.datasets.dataset import Dataset
from gars.datasets.shipped import SHIPPED
from gars.datasets.sources import SOURCES
from gars.datasets.validate import Report
from gars.domain.errors import UnknownAnimeError

_BAR = 30


def sources(home: Path, mirror: Path | None) -> RenderableType:
    """The registry: what a source holds, where it comes from, its licence, and whether it is here."""
    lines = Text()
    for source in SOURCES:
        mirrored = mirror is not None and (mirror / source.file_name).is_file()
        kept = (home / "downloads" / source.file_name).is_file()
        shipped = "part of GARS" if source in SHIPPED else "not here"
        here = "in the mirror" if mirrored else "fetched" if kept else shipped
        lines.append(source.name, style="bold")
        lines.append(f"  {source.size / 1e6:.2f} MB, {here}\n")
        lines.append(f"  {source.content}\n  {source.origin}\n", style="dim")
        mark = "" if source.licensed else "! "
        lines.append(f"  {mark}licence: {source.licence}\n", style="dim" if source.licensed else "yellow")
        lines.append(f"  {'' if source.tree else 'sha256 '}{source.digest}\n", style="dim")
    lines.rstrip()
    return lines


def datasets(found: Sequence[Dataset]) -> RenderableType:
    """One row a data set."""
    if not found:
        return Text("no data set yet; make one with: gars data build")
    table = Table("name", "dialect", "rows", "users", "anime", "viewers", box=None, pad_edge=False)
    for one in found:
        manifest = one.manifest
        viewers = "simulated" if manifest.simulated else "real"
        counts = (f"{count:,}" for count in (manifest.rows, manifest.users, manifest.anime))
        table.add_row(manifest.name, manifest.dialect, *counts, viewers)
    return table


def dataset(one: Dataset) -> RenderableType:
    """Build the table of a data set: manifest, sources, and its most watched titles."""
    manifest = one.manifest
    facts = _facts(
        {
            "folder": str(one.path),
            "dialect": manifest.dialect,
            "viewers": "simulated" if manifest.simulated else "real",
            "rows": f"{manifest.rows:,}",
            "users": f"{manifest.users:,}",
            "anime": f"{manifest.anime:,} seen, {one.catalogue().height:,} in the catalogue",
            "repeated rows dropped": f"{manifest.duplicates:,}",
            "content hash": manifest.content_hash[:16],
        }
        | {key.replace("_", " "): str(value) for key, value in manifest.report.items() if value and key != "recipe"}
    )
    made_of = Table("made of", "licence", "SHA-256", box=None, pad_edge=False)
    for source in manifest.sources:
        made_of.add_row(escape(source.name), escape(source.licence), source.sha256[:16])
    return Group(facts, "", made_of, "", _most_watched(one))


def anime(one: Dataset, anime_id: int) -> RenderableType:
    """Build the table of all catalogue fields of one anime."""
    rows = one.catalogue().filter(pl.col("anime_id") == anime_id).to_dicts()
    if not rows:
        raise UnknownAnimeError([anime_id])
    return _facts({name: _plain(value) for name, value in rows[0].items() if value not in (None, [])})


def report(one: Dataset, found: Report) -> RenderableType:
    """The validation report."""
    days = f"{found.first_day} to {found.last_day}" if found.first_day else "no times"
    facts = _facts(
        {
            "data set": f"{one.name}{' (simulated viewers)' if one.simulated else ''}",
            "rows": f"{found.rows:,} ({found.unrated_share:.1%} without a rating)",
            "users": f"{found.users:,}",
            "anime": f"{found.anime:,} seen, {found.catalogue:,} in the catalogue",
            "orphans": f"{found.orphans:,} anime seen that the catalogue does not have",
            "times": days,
            "statuses": ", ".join(f"{name} {count:,}" for name, count in found.statuses.items()) or "none",
            "duplicates": f"{found.duplicates:,} here, {found.duplicates_dropped:,} dropped when it was made",
            "suspicious users": f"{found.suspicious_users:,}",
        }
    )
    odd = [Text(f"  user {user.user_id}: {user.titles:,} titles, {user.why}") for user in found.suspicious]
    return Group(facts, *odd, "", _histogram(found.ratings), "", _gaps(found.null_share))


def checks(validation: Validation) -> RenderableType:
    """Build the table of checks with their values and thresholds."""
    table = Table("", "check", "found", "allowed", "", box=None, pad_edge=False)
    for check in validation.checks:
        mark = Text("✓", "green") if check.passed else Text("✗", "red")
        table.add_row(mark, check.name, f"{check.value:.3f}", f"{check.limit:g}", escape(check.says))
    compared = (
        f"compared with snapshot {validation.drift.before[:12]}" if validation.drift else "nothing to compare with"
    )
    return Group(table, Text(compared, "dim"))


def _facts(facts: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(escape(name), escape(value))
    return table


def _histogram(ratings: dict[int, int]) -> Table:
    table = Table("rating", "rows", "", box=None, pad_edge=False)
    most = max(ratings.values(), default=1)
    for rating in range(1, 11):
        count = ratings.get(rating, 0)
        table.add_row(str(rating), f"{count:,}", "█" * round(_BAR * count / most))
    return table


def _gaps(null_share: dict[str, float]) -> Table:
    table = Table("catalogue column", "unknown", box=None, pad_edge=False)
    for name, share in null_share.items():
        table.add_row(name, f"{share:.1%}")
    return table


def _most_watched(one: Dataset) -> Table:
    titles = one.catalogue().select("anime_id", "title", "year", "type")
    counts = one.interactions().group_by("anime_id").agg(pl.len().alias("users"), pl.col("rating").mean()).collect()
    top = counts.sort(["users", "anime_id"], descending=[True, False]).head(10).join(titles, on="anime_id", how="left")
    table = Table("most watched", "id", "year", "type", "users", "mean rating", box=None, pad_edge=False)
    for row in top.sort(["users", "anime_id"], descending=[True, False]).iter_rows(named=True):
        mean = "" if row["rating"] is None else f"{row['rating']:.2f}"
        values = (row["title"], row["anime_id"], row["year"], row["type"])
        table.add_row(*(escape(_plain(value)) for value in values), f"{row['users']:,}", mean)
    return table


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return " ".join(_plain(one) for one in value.values())
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value)
