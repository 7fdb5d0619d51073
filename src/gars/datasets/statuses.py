"""One vocabulary of list statuses: the words of anime sites in several languages, and MyAnimeList's codes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from gars.domain.interaction import Status

CODES = {
    "1": Status.WATCHING,
    "2": Status.COMPLETED,
    "3": Status.ON_HOLD,
    "4": Status.DROPPED,
    "6": Status.PLANNED,
}
"""MyAnimeList's numbers. Files of 2020 hold stray others, whose meaning is not documented."""

STATUS_CODES = {code: status.value for code, status in CODES.items()}
"""The same as words of the normal form."""

_ANIME: dict[Status, str] = {
    Status.WATCHING: """
        watching; currently watching; currently-watching; current; in progress; started; cw; w;
        смотрю; viendo; mirando; en cours; am schauen; schaue ich; schaue; assistindo; in corso; guardando; oglądam;
        izliyorum; 見てる; 見ている; 視聴中; 観てる; 観ている; 在看; 在追; 追番中; 看ing; 보는중; 시청중
    """,
    Status.COMPLETED: """
        completed; complete; completed watching; watched; finished; finished watching; seen; done; rewatching;
        rewatched; repeating; re-watching; rw;
        просмотрено; посмотрел; завершено; пересматриваю; visto; vista; completado; completada; terminado; terminé;
        vu; termine; abgeschlossen; gesehen; fertig; completo; concluído; assistido; completato; obejrzane; ukończone;
        tamamlandı; 見た; 視聴済み; 視聴済; 視聴完了; 観た; 看过; 看過; 已看; 看完; 완료; 봤음; 시청완료; 다봄
    """,
    Status.ON_HOLD: """
        on hold; on-hold; onhold; hold; paused; stalled; pause; oh;
        отложено; en espera; pausado; pausada; en pause; en attente; pausiert; unterbrochen; em espera; in pausa;
        wstrzymane; beklemede; 一時中断; 中断; 保留中; 搁置; 擱置; 보류; 일시정지
    """,
    Status.DROPPED: """
        dropped; drop; abandoned; stopped watching; stop watching; gave up;
        брошено; dejado; abandonado; abandonada; droppé; abandonné; abandon; abgebrochen; descartado; desistido;
        droppato; abbandonato; porzucone; bırakıldı; 視聴中止; 視聴断念; 切った; 抛弃; 拋棄; 弃番; 棄番; 하차; 중단
    """,
    Status.PLANNED: """
        plan to watch; plantowatch; planned; planning; plan; planned to watch; ptw; p2w; want to watch; wants to watch;
        wanna watch; wannawatch; to watch; watchlist; watch list; watch later; backlog; wish; wishlist; queued;
        запланировано; планирую посмотреть; буду смотреть; planeado; planeada; pendiente; por ver; à voir; prévu;
        a regarder; geplant; planejado; pretendo assistir; quero assistir; da vedere; pianificato; planowane;
        do obejrzenia; izlenecek; 見たい; 観たい; 視聴予定; これから見る; 想看; 計劃觀看; 计划观看; 볼예정; 보고싶은;
        시청예정
    """,
}
_MANGA: dict[Status, str] = {
    Status.WATCHING: "reading; currently reading; читаю; leyendo; 読んでる; 読んでいる; 在读; 在讀",
    Status.COMPLETED: "read; rereading; re-reading; completed reading; прочитано; leído; 読んだ; 读过; 讀過",
    Status.PLANNED: "plan to read; plantoread; ptr; want to read; planned to read; 読みたい; 想读; 想讀",
    Status.ON_HOLD: "on hold reading; stalled reading",
    Status.DROPPED: "dropped reading; stopped reading",
}
_NOT_KEPT = """
    won't watch; wont watch; not interested; notinteresting; not interesting; ignored; hidden; blocked; no state;
    никогда не буду; 興味なし; 不感兴趣
"""


_MANGA_TYPES = frozenset(
    (
        *("manga", "novel", "lightnovel", "oneshot", "doujinshi", "doujin", "manhwa", "manhua", "webtoon", "oel"),
        *("webnovel", "comic", "book"),
    )
)


@dataclass(frozen=True, slots=True)
class Word:
    """Meaning of a status word. ``status`` is ``None`` for words that are known and have no counterpart here."""

    status: Status | None
    of_manga: bool = False


def letters(word: str) -> str:
    """Reduce a word to lower-case letters and digits; Latin letters lose their accents."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    bare = (unicodedata.normalize("NFKD", one)[0] if one < "\u0250" else one for one in folded)
    return "".join(one for one in bare if one.isalnum())


def _words(text: str) -> list[str]:
    return [letters(word) for word in text.split(";")]


_KNOWN: dict[str, Word] = (
    {word: Word(None) for word in _words(_NOT_KEPT)}
    | {word: Word(status, of_manga=True) for status, text in _MANGA.items() for word in _words(text)}
    | {word: Word(status) for status, text in _ANIME.items() for word in _words(text)}
    | {code: Word(status) for code, status in CODES.items()}
)


def look_up(word: str) -> Word | None:
    """Return the meaning of a status word or code, ``None`` if it is not in the vocabulary.

    A code may be written as a decimal number (``2.0``).
    """
    text = word.strip()
    whole, point, rest = text.partition(".")
    if point and whole.isdecimal() and rest.strip("0") == "":
        text = whole
    return _KNOWN.get(letters(text))


def is_manga_kind(kind: str) -> bool:
    """Return true if a word names a kind of manga or book."""
    return letters(kind) in _MANGA_TYPES
