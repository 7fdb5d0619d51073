"""Genres and tags in one vocabulary: MyAnimeList's words for genres, AniList's words for tags."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gars.domain.anime import is_colour

ANILIST_TYPES = {
    "TV": "TV",
    "TV_SHORT": "TV",
    "MOVIE": "Movie",
    "OVA": "OVA",
    "ONA": "ONA",
    "SPECIAL": "Special",
    "MUSIC": "Music",
}
"""AniList's format → ``schema.TYPES``."""
ANILIST_AIRING = {"FINISHED": "finished", "RELEASING": "airing", "NOT_YET_RELEASED": "upcoming"}
"""AniList's status → ``schema.AIRING``."""
GENRES: tuple[str, ...] = (
    *("Action", "Adventure", "Avant Garde", "Award Winning", "Boys Love", "Comedy", "Drama", "Ecchi", "Erotica"),
    *("Fantasy", "Girls Love", "Gourmet", "Hentai", "Horror", "Mystery", "Romance", "Sci-Fi", "Slice of Life"),
    *("Sports", "Supernatural", "Suspense"),
    # themes
    *("Adult Cast", "Anthropomorphic", "CGDCT", "Childcare", "Combat Sports", "Crossdressing", "Delinquents"),
    *("Detective", "Educational", "Gag Humor", "Gore", "Harem", "High Stakes Game", "Historical"),
    *("Idols (Female)", "Idols (Male)", "Isekai", "Iyashikei", "Love Polygon", "Magical Sex Shift", "Mahou Shoujo"),
    *("Martial Arts", "Mecha", "Medical", "Military", "Music", "Mythology", "Organized Crime", "Otaku Culture"),
    *("Parody", "Performing Arts", "Pets", "Psychological", "Racing", "Reincarnation", "Reverse Harem"),
    *("Romantic Subtext", "Samurai", "School", "Showbiz", "Space", "Strategy Game", "Super Power", "Survival"),
    *("Team Sports", "Time Travel", "Vampire", "Video Game", "Visual Arts", "Workplace"),
    # demographics
    *("Josei", "Kids", "Seinen", "Shoujo", "Shounen"),
    # withdrawn by MyAnimeList in 2021 without one successor; still true of what they were given to
    *("Demons", "Game", "Magic", "Police"),
)
"""MyAnimeList's genres, themes and demographics."""

_RENAMED = {
    "Cars": "Racing",
    "Dementia": "Avant Garde",
    "Shoujo Ai": "Girls Love",
    "Shounen Ai": "Boys Love",
    "Thriller": "Suspense",
    "Yaoi": "Boys Love",
    "Yuri": "Girls Love",
}
"""MyAnimeList's names before 2021, and AniList's that differ → MyAnimeList's names today."""

_SPELLED: dict[str, str] = {name.casefold(): name for name in GENRES} | {
    old.casefold(): new for old, new in _RENAMED.items()
}

TAGS: tuple[str, ...] = (
    *("Aliens", "Angels", "Anthropomorphism", "Assassins", "Baseball", "Basketball", "Battle Royale", "Blackmail"),
    *("Boxing", "Coming of Age", "Conspiracy", "Crime", "Cyberpunk", "Cyborg", "Cycling", "Delinquents", "Desert"),
    *("Dragons", "Dystopian", "Elf", "Food", "Football", "Gender Bending", "Ghost", "Henshin", "Idol", "Mafia"),
    *("Maids", "Mermaid", "Netorare", "Ninja", "Office Lady", "Pirates", "Politics", "Post-Apocalyptic"),
    *("Religion", "Revenge", "Robots", "Satire", "Slapstick", "Slavery", "Space Opera", "Steampunk", "Super Robot"),
    *("Superhero", "Swordplay", "Tennis", "Tragedy", "Unrequited Love", "Volleyball", "War", "Wrestling", "Zombie"),
)
"""The AniList tags that other vocabularies have a word for; ``_AS_TAG`` holds those that spell them otherwise."""

_AS_TAG: dict[str, str] = {name.casefold(): name for name in TAGS} | {
    "alien": "Aliens",
    "angel": "Angels",
    "assassin": "Assassins",
    "delinquent": "Delinquents",
    "dragon": "Dragons",
    "dystopia": "Dystopian",
    "gender bender": "Gender Bending",
    "maid": "Maids",
    "pirate": "Pirates",
    "political": "Politics",
    "post apocalypse": "Post-Apocalyptic",
    "robot": "Robots",
    "soccer": "Football",
    "zombies": "Zombie",
}


def genres_of(words: Iterable[str]) -> list[str]:
    """Return MyAnimeList's genres among the words, in their present names, in order and without repeats."""
    return list(dict.fromkeys(_SPELLED[word.casefold()] for word in words if word.casefold() in _SPELLED))


def tags_of(words: Iterable[str]) -> list[str]:
    """Return the AniList tags among words of a mixed vocabulary, in order and without repeats."""
    return list(dict.fromkeys(_AS_TAG[word.casefold()] for word in words if word.casefold() in _AS_TAG))


def is_listed(word: str) -> bool:
    """Return whether a word is a genre or a tag of the white list."""
    return word.casefold() in _SPELLED or word.casefold() in _AS_TAG


_TRAILERS = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "dailymotion": "https://www.dailymotion.com/video/{}",
}
_VIDEO = re.compile(r"[\w-]{1,64}", re.ASCII)


def colour_of(text: str | None) -> str | None:
    """Return a colour of six hexadecimal digits, such as ``#e45093``; ``None`` for any other text."""
    return text.lower() if text and is_colour(text) else None


def trailer_address(site: str | None, video: str | None) -> str | None:
    """Return the address of a video from AniList's name of the site and the id there; ``None`` if either is unknown."""
    if site not in _TRAILERS or not video or not _VIDEO.fullmatch(video):
        return None
    return _TRAILERS[site].format(video)
