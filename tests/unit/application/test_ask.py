"""Requests in words: what is understood, and that the titles it must bring come and no others."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gars.application.recommend import ask as ask_module
from gars.application.recommend.ask import MAX_ASKED, Ask
from gars.domain.anime import Anime
from gars.domain.asking import parser
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError
from gars.testing.engine import FakeEngine

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))
import ask as benchmark  # noqa: E402  the benchmark judges a real model by the same requests

FIXTURES = ROOT / "tests" / "fixtures" / "ask"
REQUESTS: list[dict[str, Any]] = json.loads((FIXTURES / "requests.json").read_text(encoding="utf-8"))
AT_LEAST = 60
"""Requests that have to come out right."""

Come = Callable[[Filters], frozenset[int]]


@pytest.fixture(scope="module")
def anime() -> list[Anime]:
    return msgspec.json.decode((FIXTURES / "catalogue.json").read_bytes(), type=list[Anime])


@pytest.fixture(scope="module")
def asking(anime: list[Anime]) -> tuple[Ask, Come]:
    return benchmark.asker(FakeEngine(anime), similar=20)  # a fixture of 150 titles has few that are like one


def understood(asking: tuple[Ask, Come], text: str) -> list[tuple[str, str, bool]]:
    return [(part.kind, part.text, part.negated) for part in asking[0](text, SERVICE_DEFAULTS).parts]


def test_requests_bring_what_they_must_and_nothing_they_must_not(
    asking: tuple[Ask, Come], anime: list[Anime], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(REQUESTS) >= 60
    ask, come = asking
    wrong = {
        request["ask"]: found
        for request in REQUESTS
        if (found := benchmark.faults(request, come(ask(request["ask"], SERVICE_DEFAULTS).filters), anime))
    }
    right = len(REQUESTS) - len(wrong)
    with capsys.disabled():
        print(f"\n{right} of {len(REQUESTS)} requests in words as they should be")
    assert right >= AT_LEAST, wrong


def test_every_named_title_is_in_the_fixture(anime: list[Anime]) -> None:
    names = {name for request in REQUESTS for name in (*request["must"], *request["must_not"])}
    assert {name for name in names if not benchmark.ids_of([name], anime)} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no ecchi or harem", [("genre", "ecchi", True), ("genre", "harem", True)]),
        ("not or harem", [("genre", "harem", True)]),
        ("funny, not scary", [("genre", "funny", False), ("genre", "scary", True)]),
        ("not too long", [("episodes", "long", True)]),
        ("no romance but school", [("genre", "romance", True), ("genre", "school", False)]),
        ("ホラーなしのコメディ", [("genre", "ホラー", True), ("genre", "コメディ", False)]),
        ("不要恐怖和血腥，要搞笑", [("genre", "恐怖", True), ("genre", "血腥", True), ("genre", "搞笑", False)]),
        ("like Frieren but lighter", [("like", "like Frieren", False), ("genre", "lighter", False)]),
        ("like a warm hug", [("genre", "warm", False)]),
        ("ＳＦ映画", [("genre", "ＳＦ", False), ("type", "映画", False)]),
    ],
)  # fmt: skip
def test_parts(asking: tuple[Ask, Come], text: str, expected: list[tuple[str, str, bool]]) -> None:
    assert understood(asking, text) == expected


@pytest.mark.parametrize(
    ("text", "kinds"), [("Mushishi but dark", ["like", "genre"]), ("magical girl but dark", ["genre", "genre"])]
)
def test_a_kind_before_but_is_no_title_of_that_name(text: str, kinds: list[str]) -> None:
    request = parser.parse(text, parser.vocabulary([], []), find_title=lambda *_: 1, this_year=2026)
    assert [part.kind for part in request.parts] == kinds


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("under 13 episodes", {"episodes_max": 12}),
        ("at most 13 episodes", {"episodes_max": 13}),
        ("more than 50 episodes", {"episodes_min": 51}),
        ("12 episodes or less", {"episodes_max": 12}),
        ("24 episodes", {"episodes_min": 23, "episodes_max": 25}),
        ("between 10 and 14 episodes", {"episodes_min": 10, "episodes_max": 14}),
        ("one-cour", {"episodes_min": 10, "episodes_max": 14}),
        ("under two hours", {"duration_max": 119}),
        ("at most 90 minutes", {"duration_max": 90}),
        ("the 90s", {"year_min": 1990, "year_max": 1999}),
        ("the early 2000s", {"year_min": 2000, "year_max": 2004}),
        ("since 2015", {"year_min": 2015}),
        ("before 2000", {"year_max": 1999}),
        ("2010-2015", {"year_min": 2010, "year_max": 2015}),
        ("from 2012", {"year_min": 2012}),
        ("in 2012", {"year_min": 2012, "year_max": 2012}),
        ("last year", {"year_min": 2025, "year_max": 2025}),
        ("the last 5 years", {"year_min": 2021}),
        ("recent", {"year_min": 2023}),
        ("rated over 8.5", {"min_score": 8.5}),
        ("12話以内", {"episodes_max": 12}),
        ("2クール", {"episodes_min": 20, "episodes_max": 28}),
        ("2010年代", {"year_min": 2010, "year_max": 2019}),
        ("2010年以降", {"year_min": 2010}),
        ("90分以内", {"duration_max": 90}),
        ("昭和", {"year_max": 1988}),
        ("不超过十三集", {"episodes_max": 13}),
        ("2小时以内", {"duration_max": 120}),
        ("九十年代", {"year_min": 1990, "year_max": 1999}),
        ("近3年", {"year_min": 2023}),
    ],
)
def test_bounds(asking: tuple[Ask, Come], text: str, bounds: dict[str, float]) -> None:
    filters = asking[0](text, Filters()).filters
    assert filters == msgspec.structs.replace(Filters(), **bounds)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("not old", {"year_min": 2001}),
        ("not recent", {"year_max": 2022}),
        ("not after 2010", {"year_max": 2010}),
        ("nothing over 13 episodes", {"episodes_max": 13}),
        ("長すぎない", {"episodes_max": 26}),
        ("不会太长", {"episodes_max": 26}),
        ("特别短的", {"episodes_max": 13}),
        ("no romance, 2012", {"none_of": ("Romance",), "year_min": 2012, "year_max": 2012}),
        ("I didn't like romance", {"none_of": ("Romance",)}),
        ("怖すぎない", {"none_of": ("Horror",)}),
        ("ホラーは好きじゃない", {"none_of": ("Horror",)}),
    ],
)
def test_negated_bounds_are_the_opposite(asking: tuple[Ask, Come], text: str, bounds: dict[str, Any]) -> None:
    assert asking[0](text, Filters()).filters == msgspec.structs.replace(Filters(), **bounds)


@pytest.mark.parametrize(
    ("unwanted", "wanted"),
    [
        ("not from the 90s", "the 90s"),
        ("not in 2012", "in 2012"),
        ("nothing by kyoto animation", "kyoto animation"),
        ("no studio trigger", "studio trigger"),
        ("京アニ以外", "京アニ"),
        ("不要京阿尼", "京阿尼"),
        ("not based on a manga", "based on a manga"),
        ("not highly rated", "highly rated"),
        ("no movies or OVAs", "movies, OVAs"),
    ],
)
def test_what_has_no_opposite_is_excluded(
    asking: tuple[Ask, Come], anime: list[Anime], unwanted: str, wanted: str
) -> None:
    ask, come = asking
    fits = come(ask(wanted, Filters()).filters)
    assert 0 < len(fits) < len(anime)
    assert come(ask(unwanted, Filters()).filters) == {one.anime_id for one in anime} - fits
    assert all(part.negated for part in ask(unwanted, Filters()).parts)


def test_other_filters_stay_and_bounds_are_narrowed(asking: tuple[Ask, Come]) -> None:
    narrowed = asking[0](
        "comedy, at most 26 episodes", Filters(types=("TV",), episodes_max=13, genres=("Drama",))
    ).filters
    assert (narrowed.types, narrowed.episodes_max, narrowed.genres) == (("TV",), 13, ("Drama",))
    assert narrowed.any_of == (("Comedy", "Gag Humor"),)


def test_what_people_recommend_is_like_a_title(anime: list[Anime]) -> None:
    by_name = {one.title: one.anime_id for one in anime}
    named = [one.anime_id for one in anime if one.anime_id != by_name["Mushishi"]][:12]
    with_names = [
        msgspec.structs.replace(one, recommended=tuple(named)) if one.title == "Mushishi" else one for one in anime
    ]
    ask, come = benchmark.asker(FakeEngine(with_names), similar=20)
    assert come(ask("like Mushishi", Filters()).filters) == set(named)


def test_words_that_are_not_wanted_exclude_only_what_holds_them(
    asking: tuple[Ask, Come], anime: list[Anime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_module, "_FOUND_BY_WORDS", 5)
    ask, come = asking
    held = {one.anime_id for one in anime if "spider" in f"{one.title} {one.title_english} {one.synopsis}".lower()}
    assert held
    assert come(ask("no spiders", Filters()).filters) == {one.anime_id for one in anime} - held


def test_popular_titles_that_another_part_excludes_do_not_displace_others(
    asking: tuple[Ask, Come], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, come = asking
    wanted = come(ask("countryside before 2010", Filters()).filters)
    most_popular = come(ask("countryside", Filters()).filters)
    assert 0 < len(wanted) <= 10 < len(most_popular)
    monkeypatch.setattr(ask_module, "_FOUND_BY_WORDS", len(wanted))
    assert come(ask("countryside before 2010", Filters()).filters) == wanted


def test_words_without_effect_are_named(asking: tuple[Ask, Come]) -> None:
    parsed = asking[0]("a comedy about zzyzx", SERVICE_DEFAULTS)
    assert parsed.unread == ("zzyzx",)
    assert [part.text for part in parsed.parts] == ["comedy"]


@pytest.mark.parametrize("text", ["", "   ", "a" * (MAX_ASKED + 1)])
def test_what_cannot_be_asked(asking: tuple[Ask, Come], text: str) -> None:
    with pytest.raises(InvalidInputError):
        asking[0](text, SERVICE_DEFAULTS)


@pytest.mark.parametrize(
    "text", ["'" * 300, "no " * 100, "\x00\ufffd", "((((", "like " * 60, "のような" * 70, "像" * 300]
)
def test_odd_text_is_harmless(asking: tuple[Ask, Come], text: str) -> None:
    parsed = asking[0](text, SERVICE_DEFAULTS)
    assert all(text[part.start : part.end] == part.text for part in parsed.parts)
