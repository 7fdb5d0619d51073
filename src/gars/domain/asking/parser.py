"""Split a request in words into the parts that filters understand, and the words that are left."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from gars.domain.asking.concepts import CONCEPTS, STOP_WORDS, STUDIOS, Concept
from gars.domain.asking.numbers import Found, Values, find_numbers

PartKind = Literal[
    "genre", "like", "years", "episodes", "duration", "type", "score", "members", "adult", "source", "studio", "words"
]
FindTitle = Callable[[str, bool], int | None]
"""Find the anime that a text names: ``(text, exact)`` → id, ``None`` if there is none."""

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_LONGEST = 6
"""Words of the longest phrase or title that is looked for."""
_TITLE_END = re.compile(r"[,;:.!?()、。，；]|\b(?:but|except|only|under|with|without|that|from|in the|set in|not|no)\b")
_LIKE = re.compile(
    r"\b(?:similar to|in the vein of|reminds? me of|(?:i )?(?:liked|loved|enjoyed)|akin to|such as|like)\s+"
)
_MEETS = re.compile(r"\s*(?:\bmeets\b|\band\b|\bor\b|,|&|/)\s*")
_LIKE_AFTER = re.compile(r"(?:のような|のように|みたいな|みたいに|っぽい|に似た|に似てる|系の|が好き)")
_LIKE_BEFORE = re.compile(r"(?:类似于|类似|像|喜欢|跟|和)")
_LIKE_ZH_END = re.compile(r"(?:一样|那样|这样|差不多|类似|的|，|,|但|。| |$)")
_CJK_BREAK = re.compile(r"[\s、。，,！？!?「」『』（）()]")
_KATAKANA = re.compile(r"[ァ-ヺー・]{2}")
_NEGATIONS = frozenset(
    {"no", "not", "without", "non", "never", "except", "excluding", "nor", "minus", "zero", "nothing"}
    | {"don't", "doesn't", "didn't", "isn't", "aren't", "hate", "hated", "dislike", "disliked", "avoid", "unlike"}
)
_CARRIED = frozenset(
    {"any", "a", "an", "the", "too", "much", "many", "so", "very", "overly", "want", "like", "about", "it", "is"}
    | {"with", "to", "be", "in", "of", "extra", "by", "from", "anything", "made"}
)
"""Words between a negation and what it negates."""
_LISTED = frozenset(["or", "and", "nor"])
"""Words that carry a negation on to the next phrase."""
_LISTED_OR = re.compile(r",?\s*n?or\s+(?:from |by )?(?:the |a )?")
_NEGATED_AFTER = re.compile(
    r"(?:要素|系|もの|シーン|展開|アニメ|作品)?(?:は|が|の|も){0,2}"
    r"(?:なし|無し|ない|なく|いらない|不要|嫌い|嫌|苦手|じゃない|ではない|でない|抜き|以外|を除|禁止|ng"
    r"|好きじゃない|好きではない|見たくない|観たくない)"
)
_NEGATED_BEFORE = re.compile(
    r"(?:不要|不想|不会|不喜欢|不爱|没有|無|无|不含|不带|不是|不太|非|(?<!特)别|除了|讨厌|拒绝|避开|不)(?:太|有|任何|那么|看|要)?$"
)
_CLAUSE_END = re.compile(r"[.,;!?()]")
_CJK_LISTED = re.compile(r"^(?:や|と|・|、|も|和|或者|或|与|及)$")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a request that was understood; ``start`` and ``end`` are offsets in characters."""

    start: int
    end: int
    kind: PartKind
    negated: bool = False
    values: Values = field(default_factory=dict)
    unwanted: Values = field(default_factory=dict)
    """Filters of which whatever passes them is to be left out; ``values`` is empty then."""
    concept: Concept | None = None
    anime_id: int | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request: ``parts`` in the order of the text, and the ``left`` words as parts of kind ``words``."""

    text: str
    parts: tuple[Part, ...]
    left: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names of a catalogue that requests may use as they are: genres and tags, and studios."""

    labels: dict[tuple[str, ...], str]
    """Label by its stemmed words."""
    studios: dict[tuple[str, ...], str]


def vocabulary(labels: Iterable[str], studios: Iterable[str]) -> Vocabulary:
    """Build the vocabulary of a catalogue; of studios only those with names of at least two words."""
    return Vocabulary(
        {words: label for label in labels if (words := _stems(label.lower()))},
        {words: studio for studio in studios if len(words := _stems(studio.lower())) > 1},
    )


def parse(text: str, known: Vocabulary, *, find_title: FindTitle, this_year: int) -> Request:
    """Parse a request in English, Japanese or Chinese, or a mixture."""
    folded = fold(text)
    taken, bounded = _Taken(len(folded)), dict[int, Found]()
    parts = list(_titles(folded, taken, find_title))
    for found in find_numbers(folded, this_year=this_year):
        start = found.start + len(folded[found.start : found.end]) - len(folded[found.start : found.end].lstrip())
        if taken.take(start, found.end):
            bounded[start] = found
            parts.append(_of_values(found, start, negated=_is_negated(folded, start, found.end)))
    negated_words: set[int] = set()
    parts += _latin(folded, taken, known, negated_words)
    parts += _cjk(folded, taken)
    parts.sort(key=lambda part: part.start)
    for place, (before, this) in enumerate(pairwise(parts), 1):
        if parts[place - 1].negated and this.start in bounded and _LISTED_OR.fullmatch(folded, before.end, this.start):
            parts[place] = _of_values(bounded[this.start], this.start, negated=True)
    return Request(text, tuple(_carried_back(folded, parts)), tuple(_left(folded, taken, negated_words)))


def _of_values(found: Found, start: int, *, negated: bool) -> Part:
    if not negated:
        return Part(start, found.end, found.kind, values=found.values)
    if found.negated_values is not None:
        return Part(start, found.end, found.kind, negated=True, values=found.negated_values)
    return Part(start, found.end, found.kind, negated=True, unwanted=found.values)


def fold(text: str) -> str:
    """Return the text in lower case and usual width; every character keeps its place."""
    return "".join(_fold(character) for character in text)


def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character).lower()
    plain = {"’": "'", "‘": "'", "é": "e", "ō": "o", "ū": "u"}.get(plain, plain)
    return plain if len(plain) == 1 else character


def stem(word: str) -> str:
    """Return an English word without the ending of a plural or possessive."""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith(("ies", "ie")):
        return word[: word.rindex("i")] + "y"  # "movies" and "movie" alike
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


class _Taken:
    """Which characters belong to a part already."""

    def __init__(self, length: int) -> None:
        self._taken = bytearray(length)

    def take(self, start: int, end: int) -> bool:
        if not self.is_free(start, end):
            return False
        self._taken[start:end] = b"\x01" * (end - start)
        return True

    def is_free(self, start: int, end: int) -> bool:
        return start < end and not any(self._taken[start:end])


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(match.group()) for match in _WORD.finditer(text))


_ENGLISH = {_stems(phrase): concept for phrase, concept in CONCEPTS.items() if phrase.isascii()}
_OTHER = {
    form: concept
    for phrase, concept in CONCEPTS.items()
    if not phrase.isascii()
    # the forms of adjectives that "not" follows: 怖い, 怖くない, 怖すぎない
    for form in (
        (phrase, phrase[:-1] + "く", phrase[:-1] + "すぎ") if len(phrase) > 1 and phrase.endswith("い") else (phrase,)
    )
}
_STUDIO_WORDS = {_stems(phrase): studio for phrase, studio in STUDIOS.items() if phrase.isascii()}
_STUDIO_OTHER = {fold(phrase): studio for phrase, studio in STUDIOS.items() if not phrase.isascii()}
_LONGEST_OTHER = max(map(len, (*_OTHER, *_STUDIO_OTHER)))


def _titles(text: str, taken: _Taken, find_title: FindTitle) -> Iterable[Part]:
    """Find the titles that a request compares with."""
    for match in _LIKE.finditer(text):
        at, exact = match.end(), False
        while (found := _title_at(text, at, find_title, exact=exact)) is not None:
            start, end, anime_id = found
            if taken.take(match.start() if not exact else start, end):
                yield Part(match.start() if not exact else start, end, "like", anime_id=anime_id)
            following, exact = _MEETS.match(text, end), True
            if following is None:
                break
            at = following.end()
    if (meets := re.search(r"\bmeets\b", text)) is not None and taken.is_free(*meets.span()):
        yield from _around(text, meets.span(), taken, find_title)
    if (but := re.search(r"\s+(?:but|except)\b", text)) is not None and taken.is_free(0, but.start()):
        before = text[: but.start()].strip()
        # "magical girl but dark": a kind, not a title of that name
        named = None if _stems(before) in _ENGLISH else find_title(before, True)
        if named is not None and taken.take(0, but.start()):
            yield Part(0, but.start(), "like", anime_id=named)
    yield from _cjk_titles(text, taken, find_title)


def _title_at(text: str, at: int, find_title: FindTitle, *, exact: bool) -> tuple[int, int, int] | None:
    """Find the longest title that begins at a place. → start, end, id"""
    rest = text[at:]
    stop = _TITLE_END.search(rest)
    spans = [rest] if stop is None else [rest, rest[: stop.start()]]
    ends = sorted(
        {match.end() for span in spans for match in list(re.finditer(r"[^\s,;]+", span))[:_LONGEST]}, reverse=True
    )
    for end in ends:
        name = rest[:end].strip(" .,;!?")
        # beyond where the title most likely ends only a whole title is believed
        beyond = stop is not None and end > stop.start()
        words = _WORD.findall(name)
        if not name or (words and all(word in STOP_WORDS for word in words) and not exact and len(words) < 2):
            continue
        if exact and _stems(name) in _ENGLISH:
            continue  # "like Frieren and magic": a kind, not a title of that name
        if (anime_id := find_title(name, exact or beyond)) is not None:
            return at, at + len(name), anime_id
    return None


def _around(text: str, middle: tuple[int, int], taken: _Taken, find_title: FindTitle) -> Iterable[Part]:
    """Find the titles to both sides of "meets"."""
    before = text[: middle[0]].rstrip()
    for match in list(re.finditer(r"\S+", before))[-_LONGEST:]:
        if (anime_id := find_title(before[match.start() :], False)) is not None:
            if taken.take(match.start(), len(before)):
                yield Part(match.start(), len(before), "like", anime_id=anime_id)
            break
    after = middle[1] + len(text[middle[1] :]) - len(text[middle[1] :].lstrip())
    found = _title_at(text, after, find_title, exact=False)
    if found is not None and taken.take(found[0], found[1]):
        yield Part(found[0], found[1], "like", anime_id=found[2])


def _cjk_titles(text: str, taken: _Taken, find_title: FindTitle) -> Iterable[Part]:
    for match in _LIKE_AFTER.finditer(text):
        breaks = [found.end() for found in _CJK_BREAK.finditer(text, 0, match.start())]
        begin = max([0, *(at for at in breaks if at < match.start())])
        for start in range(begin, match.start()):
            if start > begin and _KATAKANA.match(text[start - 1 : start + 1]):
                continue  # within a word
            name = text[start : match.start()].strip("「」『』 ")
            if len(name) >= 2 and (anime_id := find_title(name, False)) is not None:
                if taken.take(start, match.end()):
                    yield Part(start, match.end(), "like", anime_id=anime_id)
                break
    for match in _LIKE_BEFORE.finditer(text):
        ends = [found.start() for found in _LIKE_ZH_END.finditer(text, match.end())]
        for end in reversed([end for end in ends if end - match.end() >= 2]):
            if not taken.is_free(match.start(), end):
                continue
            name = text[match.end() : end].strip("《》「」 ")
            if (anime_id := find_title(name, False)) is not None:
                tail = re.compile(r"[》」]?(?:一样|那样|这样|差不多|类似)?的?").match(text, end)
                stop = tail.end() if tail and taken.is_free(match.start(), tail.end()) else end
                taken.take(match.start(), stop)
                yield Part(match.start(), stop, "like", anime_id=anime_id)
                break


def _latin(text: str, taken: _Taken, known: Vocabulary, negated_words: set[int]) -> Iterable[Part]:
    """Find English phrases, longest first at each word, and whether each is negated.

    The offsets of other words that are negated are added to ``negated_words``.
    """
    words = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(text)]
    stems = [stem(word) for _, _, word in words]
    negated, at, last_end = False, 0, 0
    while at < len(words):
        start, end, word = words[at]
        if re.search(r"[.;!?()]|,(?!\s*(?:or|nor|and)\b)", text[last_end:start]):
            negated = False
        last_end = end
        found = _phrase_at(taken, known, words, stems, at)
        if found is not None:
            length, part = found
            stop = words[at + length - 1][1]
            taken.take(start, stop)
            yield replace(part, negated=True, values={}, unwanted=part.values) if negated else part
            at, last_end = at + length, stop
            following = words[at][2] if at < len(words) else ""
            negated = negated and (following in _LISTED or text[stop : stop + 1] == "/")
            continue
        if word in _NEGATIONS and taken.is_free(start, end):
            negated = True
        elif negated and word not in STOP_WORDS and taken.is_free(start, end):
            negated_words.add(start)
            following = words[at + 1][2] if at + 1 < len(words) else ""
            negated = following in _LISTED
        elif word not in _CARRIED and word not in _LISTED:
            negated = False
        at += 1


def _phrase_at(
    taken: _Taken,
    known: Vocabulary,
    words: Sequence[tuple[int, int, str]],
    stems: Sequence[str],
    at: int,
) -> tuple[int, Part] | None:
    start = words[at][0]
    for length in range(min(_LONGEST, len(words) - at), 0, -1):
        end = words[at + length - 1][1]
        if not taken.is_free(start, end):
            continue
        key = tuple(stems[at : at + length])
        if (concept := _ENGLISH.get(key)) is not None:
            return length, Part(start, end, "genre", concept=concept)
        if (studio := _STUDIO_WORDS.get(key) or known.studios.get(key)) is not None:
            return length, Part(start, end, "studio", values={"studios": (studio,)})
        if (label := known.labels.get(key)) is not None and not (length == 1 and words[at][2] in STOP_WORDS):
            return length, Part(start, end, "genre", concept=Concept(((label,),)))
    return None


def _cjk(text: str, taken: _Taken) -> Iterable[Part]:
    """Find Japanese and Chinese phrases, longest first at each character."""
    at = 0
    while at < len(text):
        for length in range(min(_LONGEST_OTHER, len(text) - at), 0, -1):
            phrase = text[at : at + length]
            concept, studio = _OTHER.get(phrase), _STUDIO_OTHER.get(phrase)
            if (concept is None and studio is None) or not taken.take(at, at + length):
                continue
            if concept is not None:
                yield Part(at, at + length, "genre", _is_negated(text, at, at + length), concept=concept)
            elif studio is not None:
                named = {"studios": (studio,)}
                if _is_negated(text, at, at + length):
                    yield Part(at, at + length, "studio", negated=True, unwanted=named)
                else:
                    yield Part(at, at + length, "studio", values=named)
            at += length - 1
            break
        at += 1


def _is_negated(text: str, start: int, end: int) -> bool:
    """Return whether a negation stands directly before or after a phrase."""
    if _NEGATED_AFTER.match(text, end) or _NEGATED_BEFORE.search(text[:start]):
        return True
    before = _WORD.findall(_CLAUSE_END.split(text[:start])[-1])
    while before and before[-1] in _CARRIED:
        before.pop()
    return bool(before) and before[-1] in _NEGATIONS and text[start].isascii()


def _carried_back(text: str, parts: list[Part]) -> list[Part]:
    """Extend the negation over lists: "AやBなし" excludes both, "不要A和B" too."""
    carried = list(parts)
    for place in range(len(carried) - 2, -1, -1):
        this, following = carried[place], carried[place + 1]
        between = text[this.end : following.start]
        if (
            this.concept
            and following.concept
            and _CJK_LISTED.match(between)
            and between not in ("和", "或", "或者", "与", "及")
        ):
            carried[place] = replace(this, negated=this.negated or following.negated)
    for place in range(1, len(carried)):
        before, this = carried[place - 1], carried[place]
        between = text[before.end : this.start]
        if (
            this.concept
            and before.concept
            and _CJK_LISTED.match(between)
            and between in ("和", "或", "或者", "与", "及", "、")
        ):
            carried[place] = replace(this, negated=this.negated or before.negated)
    return carried


def _left(text: str, taken: _Taken, negated_words: set[int]) -> Iterable[Part]:
    """Yield the English words that no part holds and that may stand in a synopsis."""
    for match in _WORD.finditer(text):
        word = match.group()
        if (
            len(word) > 2
            and word not in STOP_WORDS
            and word not in _NEGATIONS
            and not word.isdigit()
            and taken.is_free(match.start(), match.end())
        ):
            # what all forms of the word begin with: "stor" of "stories" and "story"
            root = stem(word).removesuffix("y") if len(word) > 4 else stem(word)
            yield Part(match.start(), match.end(), "words", match.start() in negated_words, word=root)
