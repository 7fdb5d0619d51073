"""Of near-equal matches the one people mean comes first."""

from __future__ import annotations

from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.domain.anime import Anime

SERIES = Anime(anime_id=30, title="Shinseiki Evangelion", type="TV", members=461_946)
FILMS = [
    Anime(anime_id=3784, title="Evangelion 2.22", type="Movie", members=182_224),
    Anime(anime_id=3785, title="Evangelion 3.33", type="Movie", members=135_318),
    Anime(anime_id=2759, title="Evangelion Shin Gekijouban: Jo", type="Movie", members=194_561),
    Anime(anime_id=32, title="The End of Evangelion", type="Movie", members=215_630),
]


def test_a_series_comes_before_films_whose_names_begin_with_the_query() -> None:
    found = MemoryTitleSearch([*FILMS, SERIES]).search("evangelion", limit=5)
    assert found[0].anime_id == SERIES.anime_id


def test_a_film_asked_for_by_its_name_comes_first() -> None:
    search = MemoryTitleSearch([*FILMS, SERIES])
    assert search.search("evangelion 3.33", limit=5)[0].anime_id == 3785
    assert search.search("end of evangelion", limit=5)[0].anime_id == 32
