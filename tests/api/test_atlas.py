"""``GET /anime/atlas``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gars.bootstrap import Service

Client = Any


def test_every_title_has_a_place_and_a_colour(client: Client, service: Service, tmp_path: Path) -> None:
    atlas = client.get("/api/v1/anime/atlas").json()
    shown = [one.anime_id for one in service.catalogue.anime if not one.adult]
    n = len(shown)
    assert set(atlas["ids"]) == set(shown)
    assert {len(atlas[column]) for column in ("ids", "titles", "x", "y", "genre", "fame")} == {n}
    assert all(0 <= place <= 4095 for place in atlas["x"] + atlas["y"])
    first = client.get(f"/api/v1/anime/{atlas['ids'][0]}").json()
    assert atlas["genres"][atlas["genre"][0]] == first["genres"][0]
    assert (tmp_path / "atlas" / f"{atlas['version']}.npy").stat().st_size == 8 * n


def test_it_is_drawn_once(client: Client) -> None:
    assert client.get("/api/v1/anime/atlas").json() == client.get("/api/v1/anime/atlas").json()
