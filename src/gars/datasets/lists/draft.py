"""A personal list under construction: entries, and a report of everything that was left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from gars.datasets import scales, statuses
from gars.datasets.identifiers import parse_id
from gars.datasets.scales import Scale, Score
from gars.domain.errors import InvalidInputError
from gars.domain.interaction import Status
from gars.domain.personal_list import ListEntry, PersonalList, SkippedEntry

MAX_ENTRIES = 50_000
"""More titles than exist: not a list of one person."""
_MAX_ID = 2**31 - 1
_SHOWN = 80
_BRIEF = 200
_MAX_NOTES = 20
_LEAST_UNDERSTOOD, _MANY = 0.1, 20
"""Of this many entries and more, at least this share must be readable."""
_NO_WORD = ("", "-")
_UNRATED = (0, -1)


@dataclass(frozen=True, slots=True)
class _Pending:
    """An entry whose score is converted once the scale of the file is known."""

    entry: ListEntry
    place: str
    word: object
    score: object
    rewatching: bool


class Draft:
    """Collects the entries a parser reads.

    Args:
        source: Kind of file, in words.
        scale: Scale of the format; ``None`` infers it from the scores. Scores that contradict it are used to infer a
            scale above 10.
        manga_words: Accept statuses of manga, such as "reading", because the file is known to be of anime.
    """

    def __init__(self, source: str, *, scale: Scale | None = None, manga_words: bool = False) -> None:
        self.source = source
        self._scale = scale
        self._manga_words = manga_words
        self._pending: list[_Pending] = []
        self._entries: list[ListEntry] = []
        self._skipped: list[SkippedEntry] = []
        self._notes: Counter[str] = Counter()
        self._settled = False
        self._unread = 0
        self._first_unread = ""

    def add(
        self,
        entry: ListEntry,
        *,
        place: str = "",
        status: object = None,
        score: object = None,
        rewatching: bool = False,
    ) -> None:
        """Add an entry that has an id; skip and count one that has none.

        Args:
            entry: Ids, title and times.
            place: Line or number of the entry, for messages.
            status: Word or code of the file; an unknown one without a score skips the entry.
            score: Value in the file; a ``scales.Score`` with a scale of its own is converted by that scale.
            rewatching: A title that is watched again is completed.
        """
        if entry.anime_id is None and entry.anilist_id is None:
            self.skip(entry.title or place or "an entry without a title", "it has no MyAnimeList id", place)
            return
        title = shown(entry.title) if entry.title else None
        self._pending.append(_Pending(replace(entry, title=title), place, status, score, rewatching))
        self._check_size()

    def skip(self, name: str, why: str, place: str = "") -> None:
        """Count an entry that could not be read, with name and reason."""
        self._unread += 1
        self._first_unread = self._first_unread or f"{place or shown(name)}: {why}"
        self._leave_out(name, why)

    def note(self, text: str, count: int = 1) -> None:
        """Add a note on the whole list; equal notes are counted."""
        self._notes[text] += count

    def settle(self) -> None:
        """Decide the scale, and read statuses and scores."""
        if self._settled:
            return
        self._settled = True
        scores = [self._score(one) for one in self._pending]
        scale = self._decided(scores)
        for pending, score in zip(self._pending, scores, strict=True):
            self._finish(pending, score, scale)

    def done(self) -> PersonalList:
        """Return the list.

        Raises:
            InvalidInputError: none, or almost none, of it could be read.
        """
        self.settle()
        total = len(self._entries) + self._unread
        understood = len(self._entries)
        if self._unread and (
            not (self._entries or len(self._skipped) > self._unread)
            or (total >= _MANY and understood < _LEAST_UNDERSTOOD * total)
        ):
            raise InvalidInputError(
                f"{self._unread:,} of {total:,} entries of this {self.source} cannot be read; the first: "
                f"{self._first_unread}",
                hint="is it the right file, with a column of MyAnimeList ids? give it as the site exported it",
            )
        counted = list(self._notes.items())
        notes = tuple(text if count == 1 else f"{text} ({count} times)" for text, count in counted[:_MAX_NOTES])
        if len(counted) > _MAX_NOTES:
            notes += (f"and {len(counted) - _MAX_NOTES} more of this kind",)
        return PersonalList(source=self.source, entries=tuple(self._entries), skipped=tuple(self._skipped), notes=notes)

    def _finish(self, pending: _Pending, score: Score | None, scale: Scale | None) -> None:
        rating = self._rating(pending.score, score, scale)
        word = brief(pending.word).strip() if pending.word is not None else ""
        status: Status | None = None
        if word not in _NO_WORD:
            known = statuses.look_up(word)
            status = known.status if known and (self._manga_words or not known.of_manga) else None
            if status is None:
                why = self._why_not(known, word)
                if known is None:
                    self.note(f"a status was not understood and left out: {shown(word)!r}")
                if rating is None:
                    name = pending.entry.name
                    if known is None:
                        self.skip(name, why, pending.place)
                    else:
                        self._leave_out(name, why)
                    return
        if status is Status.WATCHING and pending.rewatching:
            status = Status.COMPLETED
        self._entries.append(replace(pending.entry, status=status, rating=rating))

    def _why_not(self, known: statuses.Word | None, word: str) -> str:
        if known is None:
            return f"its status {shown(word)!r} is not known"
        if known.of_manga:
            return f"its status {shown(word)!r} is one of manga"
        return f"its status {shown(word)!r} has no counterpart here"

    @staticmethod
    def _score(pending: _Pending) -> Score | None:
        return pending.score if isinstance(pending.score, Score) else scales.parse(pending.score)

    def _decided(self, scores: list[Score | None]) -> Scale | None:
        counts = Counter(score.number for score in scores if score and score.scale is None and score.number > 0)
        verdict = scales.decide(counts)
        if self._scale is not None and (verdict.scale is None or verdict.scale.factor >= 1):
            return self._scale
        if verdict.scale is None:
            if any(number <= scales.TOP for number in counts):
                self.note(f"the scores fit no known scale and were left out: {verdict.why}")
            return None
        if verdict.why:
            self.note(f"the scores were read on the scale {verdict.scale.name}: {verdict.why}")
        return verdict.scale

    def _rating(self, raw: object, score: Score | None, scale: Scale | None) -> int | None:
        if score is None:
            if raw is not None and brief(raw).strip() not in _NO_WORD:
                self.note(f"a score was not understood and left out: {shown(brief(raw))!r}")
            return None
        if score.number in _UNRATED:
            return None
        value = scales.on_ten(score, scale)
        if value is None:
            if scale is not None or score.number > scales.TOP or score.number < 0:
                self.note(f"a score is not on the scale and was left out: {score.number:g}")
            return None
        return scales.whole(value)

    def _leave_out(self, name: str, why: str) -> None:
        self._skipped.append(SkippedEntry(shown(name), why))
        self._check_size()

    def _check_size(self) -> None:
        if len(self._pending) + len(self._skipped) > MAX_ENTRIES:
            raise InvalidInputError(
                f"this {self.source} has more than {MAX_ENTRIES:,} entries: it is no list of one person",
                hint="ratings of many users are imported with: gars data import FILE",
            )


def refuse_manga(source: str) -> InvalidInputError:
    """Return the error for a list of manga."""
    return InvalidInputError(
        f"this {source} is a list of manga; GARS knows anime only",
        hint="export the anime list instead: on MyAnimeList choose 'Anime List' on the export page",
    )


def known_id(value: object) -> int | None:
    """Parse an id, given as a number or as its digits; ``None`` for anything else and for 0."""
    return parse_id(value, largest=_MAX_ID) or None


def brief(value: object) -> str:
    """Return a scalar value as text, shortened, or the type name of any other value."""
    return str(value)[:_BRIEF] if isinstance(value, str | int | float) else type(value).__name__


def shown(text: str) -> str:
    """Return text of a file for display: short, in one line, without control characters."""
    clean = "".join(character if character.isprintable() else " " for character in text[: 2 * _SHOWN])
    clean = " ".join(clean.split())
    return clean if len(clean) <= _SHOWN else clean[: _SHOWN - 1] + "…"
