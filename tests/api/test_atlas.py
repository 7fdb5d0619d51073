"""``GET /anime/atlas``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gars.bootstrap import Service
from gars.library import atlas_store

Client = Any
ATLAS = "/api/v1/anime/atlas"


def drawn(client: Client, query: str = "") -> dict[str, Any]:
    """The map, asked for until it is there."""
    deadline = time.monotonic() + 60
    while (answer := client.get(ATLAS + query)).status_code == 503:
        assert time.monotonic() < deadline
        assert (answer.json()["error"]["code"], answer.headers["retry-after"]) == ("not_ready", "1")
        time.sleep(0.02)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def stored_atlas(service: Service, tmp_path: Path) -> np.ndarray:
    """What training would have left: every title at a place of its own."""
    n = len(atlas_store.shown(service.catalogue.anime))
    places = np.linspace(0, 1, 2 * n, dtype=np.float32).reshape(n, 2)
    atlas_store.write(tmp_path, service.about.model_version, places)
    return places


def test_every_title_has_a_place_and_a_colour(client: Client, service: Service) -> None:
    atlas = drawn(client)
    shown = [one.anime_id for one in service.catalogue.anime if not one.adult]
    assert set(atlas["ids"]) == set(shown)
    assert {len(atlas[column]) for column in ("ids", "titles", "x", "y", "genre", "fame")} == {len(shown)}
    assert all(0 <= place <= 4095 for place in atlas["x"] + atlas["y"])
    first = client.get(f"/api/v1/anime/{atlas['ids'][0]}").json()
    assert atlas["genres"][atlas["genre"][0]] == first["genres"][0]


def test_what_training_drew_is_there_at_once(client: Client, service: Service, tmp_path: Path) -> None:
    places = stored_atlas(service, tmp_path)
    answer = client.get(ATLAS)
    assert answer.status_code == 200
    assert answer.json()["x"] == np.rint(places[:, 0] * 4095).astype(int).tolist()


def test_where_there_is_none_it_is_drawn_behind_and_kept(client: Client, service: Service, tmp_path: Path) -> None:
    first = client.get(ATLAS)
    assert first.status_code == 503
    assert first.json()["error"] == {
        "code": "not_ready",
        "message": "the map of this model is being drawn",
        "hint": "ask again after Retry-After seconds",
    }
    atlas = drawn(client)
    file = tmp_path / "atlas" / f"{atlas['version']}.f32"
    deadline = time.monotonic() + 10
    while not file.exists():  # answered from memory, and written behind that
        assert time.monotonic() < deadline
        time.sleep(0.02)
    n = len(atlas_store.shown(service.catalogue.anime))
    assert atlas_store.read(tmp_path, atlas["version"], n) is not None
    assert atlas_store.read(tmp_path, atlas["version"], n + 1) is None


def test_map_written_by_an_older_version_is_read(service: Service, tmp_path: Path) -> None:
    places = stored_atlas(service, tmp_path)
    (file,) = (tmp_path / "atlas").iterdir()
    file.rename(file.with_suffix(".npy"))
    stored = atlas_store.read(tmp_path, file.stem, len(places))
    assert stored is not None
    np.testing.assert_array_equal(stored, places)


def test_it_is_answered_though_it_cannot_be_kept(client: Client, tmp_path: Path) -> None:
    (tmp_path / "atlas").write_text("a file where the folder should be")
    assert drawn(client)["ids"]


@pytest.mark.parametrize(
    ("titles", "name"), [("japanese", "title_japanese"), ("chinese", "title_chinese"), ("romaji", "title")]
)
def test_titles_come_in_the_language_asked_for(
    client: Client, service: Service, tmp_path: Path, titles: str, name: str
) -> None:
    stored_atlas(service, tmp_path)
    body = client.get(f"{ATLAS}?titles={titles}").json()
    wanted = [getattr(one, name) or one.title for one in atlas_store.shown(service.catalogue.anime)]
    assert body["titles"] == wanted
    assert client.get(f"{ATLAS}?titles=klingon").status_code == 400
