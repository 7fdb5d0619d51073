"""A small catalogue of made-up entries under real names: franchises, sequels, Japanese, gaps."""

from __future__ import annotations

from datetime import date

from gars.domain.anime import Anime, Streaming

_GENRES = ("Action", "Adventure", "Comedy", "Drama", "Fantasy", "Mystery", "Romance", "Sci-Fi")
_TYPES = ("TV", "Movie", "OVA", "Special")

NAMED: tuple[Anime, ...] = (
    Anime(
        anime_id=1,
        title="Cowboy Bebop",
        title_japanese="カウボーイビバップ",
        type="TV",
        episodes=26,
        score=8.8,
        members=900_000,
        genres=("Action", "Drama", "Sci-Fi"),
        studios=("Sunrise",),
        source="Original",
        released=date(1998, 4, 3),
        year=1998,
        duration_min=24,
        anilist_id=1,
        franchise="bebop",
        sequels=(5,),
        streaming=(Streaming("Example", "https://stream.example/1"),),
    ),
    Anime(
        anime_id=5,
        title="Cowboy Bebop: Tengoku no Tobira",
        title_english="Cowboy Bebop: The Movie",
        title_japanese="カウボーイビバップ 天国の扉",
        type="Movie",
        episodes=1,
        score=8.4,
        members=300_000,
        genres=("Action", "Drama", "Sci-Fi"),
        released=date(2001, 9, 1),
        year=2001,
        franchise="bebop",
        prequels=(1,),
    ),
    Anime(
        anime_id=5114,
        title="Fullmetal Alchemist: Brotherhood",
        title_japanese="鋼の錬金術師 FULLMETAL ALCHEMIST",
        title_chinese="钢之炼金术师",
        synonyms=("Hagane no Renkinjutsushi", "FMA:B"),
        type="TV",
        episodes=64,
        score=9.2,
        members=1_500_000,
        genres=("Action", "Adventure", "Drama", "Fantasy"),
        released=date(2009, 4, 5),
        year=2009,
        image="https://images.example/5114.jpg",
        synopsis="Two brothers look for a stone.",
        anidb_id=6107,
        tmdb_id="tv/31911",
        franchise="fma",
    ),
    Anime(
        anime_id=1535,
        title="Death Note",
        title_japanese="デスノート",
        synonyms=("DN",),
        type="TV",
        episodes=37,
        score=8.7,
        members=1_400_000,
        genres=("Mystery", "Drama"),
        released=date(2006, 10, 4),
        year=2006,
        franchise="deathnote",
    ),
    Anime(anime_id=9001, title="Nothing Is Known of This"),
    Anime(anime_id=9002, title="For Adults Only", adult=True, members=50_000, genres=("Drama",), franchise="adult"),
)


def sample_catalogue(n: int = 120) -> tuple[Anime, ...]:
    """Return named and generated entries, ``n`` in all, ascending by id; every third generated one is a sequel."""
    generated = [_generated(number) for number in range(n - len(NAMED))]
    return tuple(sorted((*NAMED, *generated), key=lambda entry: entry.anime_id))


def _generated(number: int) -> Anime:
    anime_id = 100 + number
    is_sequel, has_sequel = number % 3 == 1, number % 3 == 0
    return Anime(
        anime_id=anime_id,
        title=f"Story {number // 3} part {number % 3 + 1}",
        type=_TYPES[number % len(_TYPES)],
        episodes=1 + number % 30,
        score=5 + (number * 7 % 40) / 10,
        members=1_000 + 997 * (number * 31 % 101),
        genres=tuple(sorted({_GENRES[number % 8], _GENRES[(number * 5 + 3) % 8]})),
        year=1990 + number % 35,
        franchise=f"story{number // 3}" if number % 3 < 2 else f"alone{number}",
        prequels=(anime_id - 1,) if is_sequel else (),
        sequels=(anime_id + 1,) if has_sequel else (),
    )
