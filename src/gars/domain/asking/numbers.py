"""Find years, lengths, types and popularity in a request, in English, Japanese and Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["years", "episodes", "duration", "type", "score", "members", "adult", "source"]
Value = int | float | bool | tuple[str, ...]
Values = Mapping[str, Value]
"""Filters by name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a request: where it is, and the filters it stands for."""

    start: int
    end: int
    kind: Kind
    values: Values
    negated_values: Values | None = None
    """The filters it stands for after "not"; ``None`` where no filter is the opposite."""


_NUMBER = r"(\d{1,4}|an?|one|two|three|four|five|six|ten|twelve|thirteen|twenty|[一二三四五六七八九十两]{1,3})"
_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12,
    "thirteen": 13, "twenty": 20,
}  # fmt: skip
_DIGITS = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"两": 2}
_LESS = r"(?:under|below|less than|fewer than|shorter than)"
_AT_MOST = r"(?:at most|max(?:imum)?(?: of)?|up to|no more than|not more than|no longer than|not longer than|within)"
_MORE = r"(?:over|more than|above|longer than)"
_AT_LEAST = r"(?:at least|min(?:imum)?(?: of)?|no less than|not less than)"
_EPISODES = r"(?:-| )?(?:episodes?|eps?\b)"
_UNITS = r"(?:-| )?(minutes?|mins?|min|hours?|hrs?|h)\b"


def number_of(text: str) -> int:
    """Return the value of a small number in digits, English words or Chinese numerals."""
    if text.isdigit():
        return int(text)
    if text in _WORDS:
        return _WORDS[text]
    tens, ten, ones = text.partition("十")
    if ten:
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    value = 0
    for digit in text:
        value = value * 10 + _DIGITS.get(digit, 0)
    return value


def _minutes(number: str, unit: str) -> int:
    return number_of(number) * (60 if unit[0] in "h時小" else 1)


def _bounds(name: str, low: int | None, high: int | None) -> Values:
    bounds = {f"{name}_min": low, f"{name}_max": high}
    return {key: value for key, value in bounds.items() if value is not None}


def _near(number: int) -> Values:
    """Return bounds around a number of episodes: seasons of "12 episodes" have 11 to 13."""
    return _bounds("episodes", number - 1 if number >= 10 else number, number + 1 if number >= 10 else number)


def _decade(text: str, part: str | None, this_year: int) -> Values:
    start = int(text)
    if start < 100:
        start += 2000 if start <= this_year % 100 else 1900
    first, last = {"early": (0, 4), "mid": (3, 7), "late": (5, 9)}.get(part or "", (0, 9))
    return _bounds("year", start + first, start + last)


_Rule = tuple[str, Kind, Callable[[re.Match[str], int], Values]]
_RULES: tuple[_Rule, ...] = (
    # lengths in episodes
    (rf"{_LESS} {_NUMBER}{_EPISODES}", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]) - 1)),
    (rf"{_AT_MOST} {_NUMBER}{_EPISODES}", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]))),
    (rf"{_MORE} {_NUMBER}{_EPISODES}", "episodes", lambda m, _: _bounds("episodes", number_of(m[1]) + 1, None)),
    (rf"{_AT_LEAST} {_NUMBER}{_EPISODES}", "episodes", lambda m, _: _bounds("episodes", number_of(m[1]), None)),
    (rf"{_NUMBER}{_EPISODES} or (?:less|fewer|under)", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]))),
    (rf"(?:{_NUMBER}{_EPISODES} or more|(\d+)\+{_EPISODES})", "episodes", lambda m, _: _bounds("episodes", number_of(m[1] or m[2]), None)),
    (rf"(?:between )?(\d+) ?(?:-|–|to|and) ?(\d+){_EPISODES}", "episodes", lambda m, _: _bounds("episodes", int(m[1]), int(m[2]))),
    (rf"\b{_NUMBER}{_EPISODES}", "episodes", lambda m, _: _near(number_of(m[1]))),
    (r"\b(?:(?:one|single|1)[- ]cour)\b|[1一] ?クール", "episodes", lambda _m, _y: _bounds("episodes", 10, 14)),
    (r"\b(?:(?:two|double|2)[- ]cour)\b|[2二] ?クール", "episodes", lambda _m, _y: _bounds("episodes", 20, 28)),
    (rf"{_NUMBER} ?(?:話|エピソード|集|话)(?:以内|以下|まで|之内|以里|内)", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]))),
    (rf"{_NUMBER} ?(?:話|エピソード|集|话)未満", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]) - 1)),
    (rf"{_NUMBER} ?(?:話|エピソード|集|话)(?:以上|より長い)", "episodes", lambda m, _: _bounds("episodes", number_of(m[1]), None)),
    (rf"(?:少于|不到|低于){_NUMBER} ?(?:集|话)", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]) - 1)),
    (rf"(?:不超过|最多|不多于){_NUMBER} ?(?:集|话)", "episodes", lambda m, _: _bounds("episodes", None, number_of(m[1]))),
    (rf"(?:超过|多于){_NUMBER} ?(?:集|话)", "episodes", lambda m, _: _bounds("episodes", number_of(m[1]) + 1, None)),
    (rf"至少{_NUMBER} ?(?:集|话)", "episodes", lambda m, _: _bounds("episodes", number_of(m[1]), None)),
    (rf"(?:全)?{_NUMBER} ?(?:話|エピソード|集|话)(?:くらい|前後|ぐらい|左右)?", "episodes", lambda m, _: _near(number_of(m[1]))),
    # lengths in minutes
    (rf"{_LESS} {_NUMBER}{_UNITS}(?: long)?", "duration", lambda m, _: _bounds("duration", None, _minutes(m[1], m[2]) - 1)),
    (rf"{_AT_MOST} {_NUMBER}{_UNITS}(?: long)?", "duration", lambda m, _: _bounds("duration", None, _minutes(m[1], m[2]))),
    (rf"{_MORE} {_NUMBER}{_UNITS}(?: long)?", "duration", lambda m, _: _bounds("duration", _minutes(m[1], m[2]) + 1, None)),
    (rf"{_AT_LEAST} {_NUMBER}{_UNITS}(?: long)?", "duration", lambda m, _: _bounds("duration", _minutes(m[1], m[2]), None)),
    (r"(\d+) ?(分|時間|分钟|小时|个小时)(?:以内|以下|まで|未満|之内|内)", "duration", lambda m, _: _bounds("duration", None, _minutes(m[1], m[2][-2:] if m[2].startswith("个") else m[2]))),
    (r"(?:不超过|少于|不到|最多)(\d+) ?(分钟|小时)", "duration", lambda m, _: _bounds("duration", None, _minutes(m[1], m[2]))),
    (r"(\d+) ?(分|時間|分钟|小时)以上", "duration", lambda m, _: _bounds("duration", _minutes(m[1], m[2]), None)),
    # years
    (r"\b(early|mid|late)?[- ]?(?:the )?'?((?:19|20)?\d0)'?s\b", "years", lambda m, y: _decade(m[2], m[1], y)),
    (r"\b(?:from |between )?((?:19|20)\d\d) ?(?:-|–|to|and|until|から|到|至|~|〜) ?((?:19|20)\d\d)年?\b", "years", lambda m, _: _bounds("year", int(m[1]), int(m[2]))),
    (r"\b(?:since|from) ((?:19|20)\d\d)(?: on(?:wards?)?)?\b|\bnot (?:before|older than) ((?:19|20)\d\d)\b|((?:19|20)\d\d) or (?:later|newer)", "years", lambda m, _: _bounds("year", int(m[1] or m[2] or m[3]), None)),
    (r"\b(?:after|newer than) ((?:19|20)\d\d)\b", "years", lambda m, _: _bounds("year", int(m[1]) + 1, None)),
    (r"\b(?:before|older than|pre)[- ]?((?:19|20)\d\d)\b", "years", lambda m, _: _bounds("year", None, int(m[1]) - 1)),
    (r"\b(?:until|up to|by) ((?:19|20)\d\d)\b", "years", lambda m, _: _bounds("year", None, int(m[1]))),
    (r"(?:上世纪)?((?:19|20)?\d0)年代", "years", lambda m, y: _decade(m[1], None, y)),
    (r"([七八九])十年代", "years", lambda m, y: _decade(str(number_of(m[1]) * 10), None, y)),
    (r"((?:19|20)\d\d)年?(?:以降|以後|から|之后|以后|以来|后)", "years", lambda m, _: _bounds("year", int(m[1]), None)),
    (r"((?:19|20)\d\d)年?(?:以前|まで|より前|之前|前)", "years", lambda m, _: _bounds("year", None, int(m[1]))),
    (r"令和", "years", lambda _m, _y: _bounds("year", 2019, None)),
    (r"平成", "years", lambda _m, _y: _bounds("year", 1989, 2018)),
    (r"昭和", "years", lambda _m, _y: _bounds("year", None, 1988)),
    (r"\b(?:last|past) (\d+) years\b|近(\d+)年|ここ(\d+)年", "years", lambda m, y: _bounds("year", y - int(m[1] or m[2] or m[3]), None)),
    (r"\bthis year\b|今年", "years", lambda _m, y: _bounds("year", y, y)),
    (r"\blast year\b|去年|昨年", "years", lambda _m, y: _bounds("year", y - 1, y - 1)),
    (r"\b(?:in |of |from )?((?:19[2-9]|20[0-3])\d)\b年?", "years", lambda m, _: _bounds("year", int(m[1]), int(m[1]))),
    # scores
    (r"\b(?:score|rated|rating)s? (?:of )?(?:over|above|at least|higher than)? ?(\d(?:\.\d)?)\+?\b", "score", lambda m, _: {"min_score": float(m[1])}),
    (r"(?:評価|スコア|评分)(\d(?:\.\d)?)(?:以上|分以上)?", "score", lambda m, _: {"min_score": float(m[1])}),
)  # fmt: skip

_HIDDEN, _KNOWN = {"max_members": 20_000}, {"min_members": 100_000}
_PLAIN: tuple[tuple[str, Kind, Values, Values | None], ...] = (
    (r"\b(?:movies?|films?)\b|映画|劇場版|电影|剧场版|電影", "type", {"types": ("Movie",)}, None),
    (r"\b(?:tv series|tv shows?|tv)\b|テレビシリーズ|テレビアニメ|TVアニメ|电视动画|tv动画", "type", {"types": ("TV",)}, None),
    (r"\bovas?\b|OVA", "type", {"types": ("OVA",)}, None),
    (r"\b(?:onas?|web series)\b|配信アニメ|网络动画", "type", {"types": ("ONA",)}, None),
    (r"\bspecials?\b|スペシャル|特別編|特别篇", "type", {"types": ("Special",)}, None),
    (r"\bmusic videos?\b|ミュージックビデオ|音乐视频", "type", {"types": ("Music",)}, None),
    (r"\b(?:very short|shorts|short episodes?)\b|ショートアニメ|泡面番|短片", "duration", {"duration_max": 15}, {"duration_min": 16}),
    (r"\b(?:shorter|short)\b|短い|短く|短すぎ|短め|短編|短篇|短的|短番|短", "episodes", {"episodes_max": 13}, {"episodes_min": 14}),
    (r"\b(?:long running|longer|long)\b|長い|長く|長すぎ|長め|長編|长篇|长的|长番|长", "episodes", {"episodes_min": 50}, {"episodes_max": 26}),
    (r"\b(?:recent|newer|newest|latest|modern|new)\b|最近|新しい|新しく|最新|新作|近几年|近年|新番|新的", "years", {"recent": True}, None),
    (r"\b(?:classics?|retro|vintage|oldies|older|old school|old)\b|レトロ|懐かし|昔の|古い|古く|クラシック|怀旧|老番|老动画|老的|复古", "years", {"old": True}, None),
    (r"\b(?:highly rated|top rated|acclaimed|masterpieces?|best rated|critically acclaimed)\b|名作|傑作|高評価|神アニメ|神作|高分|好评|杰作", "score", {"min_score": 8.0}, None),
    (r"\b(?:hidden gems?|underrated|obscure|little known|lesser known|less known|unknown)\b|隠れた名作|マイナー|知られていない|冷门|小众", "members", _HIDDEN, _KNOWN),
    (r"\b(?:popular|famous|mainstream|well known|widely watched)\b|人気|有名|メジャー|热门|人气|知名", "members", _KNOWN, _HIDDEN),
    (r"\b(?:hentai|x rated|porn)\b|18\+|成人向け|18禁|里番", "adult", {"adult": True}, {"adult": False}),
    (r"\b(?:based on |from |adapted from )(?:a |the )?(?:light novels?|ln)\b|ラノベ(?:原作)?|ライトノベル(?:原作)?|轻小说(?:改编?)?", "source", {"sources": ("Light novel",)}, None),
    (r"\b(?:based on |from |adapted from )(?:a |the )?visual novels?\b|ノベルゲーム原作|视觉小说(?:改编?)?", "source", {"sources": ("Visual novel",)}, None),
    (r"\b(?:based on |from |adapted from )(?:a |the )?(?:video )?games?\b|ゲーム原作|游戏改编?", "source", {"sources": ("Game", "Video game")}, None),
    (r"\b(?:based on |from |adapted from )(?:a |the )?(?:novels?|books?)\b|小説原作|小说改编?", "source", {"sources": ("Novel", "Book", "Web novel")}, None),
    (r"\b(?:based on |from |adapted from )(?:a |the )?mangas?\b|漫画原作|漫画改编?|原作漫画", "source", {"sources": ("Manga", "Web manga", "4-koma manga")}, None),
    (r"\b(?:original anime|anime original|originals?|not based on anything)\b|オリジナルアニメ|オリジナル作品|原创", "source", {"sources": ("Original",)}, None),
)  # fmt: skip
_RECENT_YEARS = 3
_OLD_UNTIL = 2000

_COMPILED = tuple((re.compile(pattern), kind, read) for pattern, kind, read in _RULES)
_COMPILED_PLAIN = tuple(
    (re.compile(pattern.lower()), kind, values, opposite) for pattern, kind, values, opposite in _PLAIN
)


def find_numbers(text: str, *, this_year: int) -> Iterator[Found]:
    """Yield the parts of a text in lower case; they may overlap, the earlier ones are to be preferred."""
    for pattern, kind, read in _COMPILED:
        for match in pattern.finditer(text):
            values = read(match, this_year)
            yield Found(match.start(), match.end(), kind, values, _opposite(values))
    for pattern, kind, values, opposite in _COMPILED_PLAIN:
        for match in pattern.finditer(text):
            bounds = _in_years(values, this_year)
            yield Found(match.start(), match.end(), kind, bounds, opposite or _opposite(bounds))


def _in_years(values: Values, this_year: int) -> Values:
    """Replace "recent" and "old" by bounds on the year."""
    if "recent" in values:
        return _bounds("year", this_year - _RECENT_YEARS, None)
    if "old" in values:
        return _bounds("year", None, _OLD_UNTIL)
    return values


def _opposite(values: Values) -> Values | None:
    """Return the bound that excludes what a single bound of whole numbers includes."""
    if len(values) != 1:
        return None
    ((name, value),) = values.items()
    if isinstance(value, int) and name.endswith("_min"):
        return {f"{name[:-4]}_max": value - 1}
    if isinstance(value, int) and name.endswith("_max"):
        return {f"{name[:-4]}_min": value + 1}
    return None
