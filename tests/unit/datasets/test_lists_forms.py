"""Personal lists as other programs write them: encodings, wrappers, line ends, scales, words, faults."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Sequence

import pytest

from gars.datasets import scales, statuses, text
from gars.datasets.lists.parse import parse
from gars.datasets.lists.xml_repair import repair
from gars.domain.errors import InvalidInputError
from gars.domain.interaction import Status
from gars.domain.personal_list import PersonalList

TABLE = (
    "anime_id,title,rating,status\n5114,錬金術師と夏の日,9,視聴中\n1,カウボーイの物語,8,見た\n20,鳴門の物語,,見たい\n"
)


def read(content: bytes | str | object) -> PersonalList:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    found = parse(content)
    assert isinstance(found, PersonalList)
    return found


def ratings(found: PersonalList) -> list[int | None]:
    return [entry.rating for entry in found.entries]


def refusal(content: bytes | str | object) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read(content)
    assert caught.value.hint
    return caught.value.message


def xml(inside: str, encoding: str = "UTF-8") -> str:
    anime = f"<anime><series_animedb_id>1</series_animedb_id>{inside}<my_score>8</my_score></anime>"
    return f'<?xml version="1.0" encoding="{encoding}" ?>\n<myanimelist>{anime}</myanimelist>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932", "euc_jp"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    found = read(TABLE.replace("\n", end).encode(encoding))
    assert [(one.anime_id, one.title, one.rating, one.status) for one in found.entries] == [
        (5114, "錬金術師と夏の日", 9, Status.WATCHING),
        (1, "カウボーイの物語", 8, Status.COMPLETED),
        (20, "鳴門の物語", None, Status.PLANNED),
    ]


@pytest.mark.parametrize(
    ("encoding", "titles"),
    [
        ("cp1252", ["Café Märchen", "Señorita", "It’s me – “again”"]),
        ("gb18030", ["进击的巨人", "钢之炼金术师", "星际牛仔"]),
        ("big5", ["進擊的巨人", "鋼之鍊金術師"]),
        ("euc_kr", ["진격의 거인", "강철의 연금술사"]),
        ("cp1251", ["Атака титанов", "Тетрадь смерти"]),
        ("utf-16-le", ["Naruto", "Bleach"]),
    ],
)
def test_legacy_encodings_are_detected(encoding: str, titles: Sequence[str]) -> None:
    rows = "".join(f"{number},{title},{number}\n" for number, title in enumerate(titles, 7))
    found = read(f"anime_id,title,rating\n{rows}".encode(encoding))
    assert [one.title for one in found.entries] == list(titles)
    assert found.notes == (f"the text was read as {text.shown_name(encoding)}",)


def test_damaged_bytes_in_a_utf8_file_do_not_change_its_encoding() -> None:
    content = TABLE.encode().replace("夏".encode(), b"\xe5\xa4")
    found = read(content)
    assert ratings(found) == [9, 8, None]
    assert found.notes == ("1 byte(s) are not UTF-8 and were replaced",)


def zipped(*names: str, content: bytes = TABLE.encode()) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("list.csv")
        member.size = len(TABLE.encode())
        archive.addfile(member, io.BytesIO(TABLE.encode()))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TABLE.encode("cp932")),
        bz2.compress(TABLE.encode()),
        bz2.compress(TABLE[:70].encode()) + bz2.compress(TABLE[70:].encode()),
        lzma.compress(TABLE.encode()),
        zipped("list.csv"),
        zipped("folder/", "folder/list.csv", "__MACOSX/._list.csv"),
        zipped("list.csv.gz", content=gzip.compress(TABLE.encode())),
        b"\xef\xbb\xbfsep=,\r\n" + TABLE.encode(),
        ('"sep=;"\n' + TABLE.replace(",", ";")).encode(),
        ("\n\n" + TABLE.replace(",", "|")).encode(),
    ],
)
def test_wrappers_are_taken_off(content: bytes) -> None:
    assert ratings(read(content)) == [9, 8, None]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zipped("a.csv", "b.csv"), "a zip archive of 2 files (a.csv, b.csv)"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (.xlsx)"),
        (zipped("mimetype", "content.xml"), "an OpenDocument file (.ods)"),
        (zipped(), "a zip archive of 0 files"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 50, "an old Excel workbook (.xls)"),
        (tarred(), "a tar archive"),
        (gzip.compress(tarred()), "a tar archive"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "a Zstandard file"),
        (b"7z\xbc\xaf'\x1c\x00", "a 7-Zip archive"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"\x80\x04\x95\x10\x00", "a Python pickle"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"{\\rtf1\\ansi", "a rich text document (.rtf)"),
        ("\ufeff<!-- saved --><!DOCTYPE html><html>".encode(), "a web page"),
        ("<HTML><body>".encode("utf-16"), "a web page"),
        (lzma.compress(TABLE.encode())[:40], "the xz file is damaged: it ends too early"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"anime_id\n1\n")))), "more than 3 wrappers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_is_refused_by_name(content: bytes, kind: str) -> None:
    assert kind in refusal(content)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda one: zipped("a", content=one)])
def test_no_wrapper_unpacks_more_than_the_limit(pack: object) -> None:
    with pytest.raises(InvalidInputError, match="longer than 100,000 bytes"):
        parse(pack(b"anime_id\n" + b"1\n" * 10_000_000), limit=100_000)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (["95", "80", "10", "5"], [10, 8, 1, 1]),
        (["19", "14", "2"], [10, 7, 1]),
        (["5", "1", "4"], [10, 2, 8]),
        (["4.5", "3", "0.5"], [9, 6, 1]),
        (["8,5", "7,4", "10"], [9, 7, 10]),
        (["8/10", "4/5", "85/100", "0/10"], [8, 8, 9, None]),
        (["85%", "70 %", "100%"], [9, 7, 10]),
        (["★★★★☆", "★★½", "4 stars"], [8, 5, 8]),
        ([":)", ":|", ":(", "😊"], [9, 6, 4, 9]),
        (["(10) Masterpiece", "7 - Good"], [10, 7]),
        (["NULL", "nan", "-", "0", "-1", "7"], [None, None, None, None, None, 7]),
        (["4", "3"], [4, 3]),
        (["５", "１０"], [5, 10]),
    ],
)
def test_a_scale_is_decided_once_for_a_file(scores: list[str], expected: list[int | None]) -> None:
    rows = "".join(f'{number},"{score}",completed\n' for number, score in enumerate(scores, 1))
    assert ratings(read(f"anime_id,score,status\n{rows}")) == expected


def test_the_scale_is_reported_and_a_contradiction_leaves_the_scores_out() -> None:
    found = read("anime_id,rating\n1,95\n2,80\n3,10\n")
    assert found.notes == ("the scores were read on the scale 1 to 100: 2 of 3 scores are above 10, the highest is 95",)
    found = read("anime_id,rating,status\n1,85,completed\n2,9,completed\n")
    assert ratings(found) == [None, None]
    assert (
        found.notes[0]
        == "the scores fit no known scale and were left out: 1 of 2 scores are above 10, the highest is 85"
    )


def test_few_errors_among_many_scores_do_not_change_the_scale() -> None:
    assert scales.decide({9: 50, 8: 50, 95: 1}).scale is scales.TEN
    assert scales.decide({9: 50, 95: 50}).scale is scales.HUNDRED
    assert scales.decide({1000: 5, 9: 50}).scale is None


WORDS = {
    Status.WATCHING: ["Watching", "Currently Watching", "CURRENT", "currently-watching", "смотрю", "在看", "1", "1.0"],
    Status.COMPLETED: ["Completed", "COMPLETED", "watched", "Rewatching", "REPEATING", "看过", "Terminé", "2"],
    Status.ON_HOLD: ["On-Hold", "on_hold", "hold", "paused", "Stalled", "PAUSED", "一時中断", "3"],
    Status.DROPPED: ["Dropped", "DROPPED", "stop_watching", "Abgebrochen", "弃番", "4"],
    Status.PLANNED: [
        "Plan to Watch",
        "PTW",
        "plan_to_watch",
        "Want to Watch",
        "wanna_watch",
        "PLANNING",
        "À voir",
        "6",
    ],
}


@pytest.mark.parametrize(("status", "words"), WORDS.items())
def test_status_words_of_many_sites(status: Status, words: list[str]) -> None:
    rows = "".join(f"{number},{word}\n" for number, word in enumerate(words, 1))
    assert [one.status for one in read(f"anime_id,status\n{rows}").entries] == [status] * len(words)


def test_no_word_has_two_meanings() -> None:
    for words in (statuses._ANIME, statuses._MANGA):
        listed = [word for text_ in words.values() for word in statuses._words(text_)]
        assert "" not in listed
        for status, text_ in words.items():
            for word in statuses._words(text_):
                found = statuses.look_up(word)
                assert found is not None
                assert (word, found.status) == (word, status)


def test_an_unknown_status_is_never_stored_as_another() -> None:
    found = read("anime_id,title,status,rating\n1,a,Want to Watch,\n2,b,Won't Watch,\n3,c,someday,\n4,d,someday,8\n")
    assert [(one.anime_id, one.status, one.rating) for one in found.entries] == [
        (1, Status.PLANNED, None),
        (4, None, 8),
    ]
    assert [(one.name, one.why) for one in found.skipped] == [
        ("b", 'its status "Won\'t Watch" has no counterpart here'),
        ("c", "its status 'someday' is not known"),
    ]
    assert found.notes == ("a status was not understood and left out: 'someday' (2 times)",)
    assert "line 2: its status 'someday' is not known" in refusal("anime_id,status\n1,someday\n2,never\n")


def test_a_manga_word_in_an_anime_element_is_of_anime() -> None:
    assert read(xml("<my_status>Plan to Read</my_status>")).entries[0].status is Status.PLANNED


@pytest.mark.parametrize("kind", ["Manga", "Light Novel", "light_novel", "MANHWA", "One-shot", "Doujinshi"])
def test_manga_rows_are_left_out(kind: str) -> None:
    found = read(f"mal_id,title,type,score,status\n21,Death Note,{kind},10,Completed\n5114,FMAB,TV,9,Completed\n")
    assert [(one.anime_id, one.rating) for one in found.entries] == [(5114, 9)]
    assert found.notes == ("1 manga left out",)
    found = read("anime_id,score,status\n21,10,Reading\n22,,plan to read\n5114,9,Completed\n")
    assert [one.anime_id for one in found.entries] == [5114]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5114.0", 5114), ("5114.", 5114), ('"5,114"', 5114), ("5.114e3", 5114), (" 5114 ", 5114), ("5114.5", None)],
)
def test_ids_as_data_frames_write_them(text: str, expected: int | None) -> None:
    found = read(f"anime_id,rating\n{text},9.0\n1.0,\n")
    assert found.entries[0].anime_id == (expected or 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1500000000", 1_500_000_000_000),
        ("1500000000.0", 1_500_000_000_000),
        ("1500000000000", 1_500_000_000_000),
        ("1500000000000000", 1_500_000_000_000),
        ("1500000000000000000", 1_500_000_000_000),
        ("2017-07-14T02:40:00Z", 1_500_000_000_000),
        ("2017-07-14 04:40:00+02:00", 1_500_000_000_000),
        ("2017-07-14T11:40:00+0900", 1_500_000_000_000),
        ("2017-07-14 02:40:00 UTC", 1_500_000_000_000),
        ("2017/07/14", 1_499_990_400_000),
        ("soon", None),
        ("12", None),
    ],
)
def test_times_of_any_unit_and_zone(text: str, expected: int | None) -> None:
    found = read(f"anime_id,rating,timestamp\n1,9,{text}\n")
    assert found.entries[0].updated_ms == expected
    assert len(found.notes) == (expected is None)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('anime_id,title,rating\n5114,"open quote,9\n1,b,8\n20,c,7\n', "line 2: a quote is opened and not closed"),
        ('anime_id,title,rating\n1,a,8\n5114,"open,9\n1,b,8\n20,"c,7\n', "line 3: a quote is opened and not closed"),
        ('anime_id,title,rating\n5114,"open,9\n1,b,8\n20,"c",7\n', "line 2: a quote is opened and not closed"),
        ('anime_id,rating,note\n5114,9,"open\n1,8,b\n20,7,"\n', "line 2: a quote is opened and not closed"),
        ("anime_id,rating5114,91,820,7", "line 1: the table is one line"),
        ("anime_id\trating5114\t91\t8", "line 1: the table is one line"),
        (
            "anime_id,rating\nx,9\ny,8\n",
            "2 of 2 entries of this CSV table cannot be read; the first: line 2: 'x'",
        ),
        ("anime_id,title,rating\n1,Tengoku, no Tobira,9\n", "line 2: the line has 4 cells, the header 3"),
    ],
)
def test_rows_that_would_be_swallowed_are_refused_with_their_line(content: str, line: str) -> None:
    assert line in refusal(content)


def test_quotes_and_line_breaks_inside_cells() -> None:
    found = read('anime_id,title,rating\n1,The "Best",9\n2,"a\nb",8\n3,"say ""hi""",7\n4,"The Best" Show,6\n,,\n')
    assert [(one.title, one.rating) for one in found.entries] == [
        ('The "Best"', 9),
        ("a b", 8),
        ('say "hi"', 7),
        ("The Best Show", 6),
    ]


def test_a_row_of_another_width_is_skipped_and_named() -> None:
    found = read("anime_id,title,rating\n1,Tengoku, no Tobira,9\n2,b,8\n3,7\n4\n")
    assert [(one.anime_id, one.rating) for one in found.entries] == [(2, 8), (4, None)]
    assert [(one.name, one.why) for one in found.skipped] == [
        ("line 2", "the line has 4 cells, the header 3"),
        ("line 4", "the line has 2 cells, the header 3"),
    ]


def test_anilist_data_export() -> None:
    rows = [{"series_id": one, "series_type": 0, "score": 90, "status": one - 1} for one in range(1, 7)]
    manga = {"series_id": 9, "series_type": 1, "score": 100, "status": 2}
    found = read({"user": {"id": 1}, "lists": [*rows, manga], "activity": []})
    assert found.source == "AniList data export"
    assert [(one.anilist_id, one.rating, one.status) for one in found.entries] == [
        (1, 9, Status.WATCHING),
        (2, 9, Status.PLANNED),
        (3, 9, Status.COMPLETED),
        (4, 9, Status.DROPPED),
        (5, 9, Status.ON_HOLD),
        (6, 9, Status.COMPLETED),
    ]
    assert "1 manga left out" in found.notes


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"errors": [{"message": "User not found", "status": 404}], "data": {"MediaListCollection": None}},
            "User not found",
        ),
        ({"data": None, "errors": [{"message": "Too Many Requests.", "status": 429}]}, "Too Many Requests."),
        ({"message": "", "error": "invalid_token"}, "invalid_token"),
        ({"errors": [{"title": "Record not found", "detail": "no such user", "status": "404"}]}, "no such user"),
        ({"status": 404, "type": "BadResponseException", "message": "Not Found", "error": None}, "Not Found"),
        ({"status": 500, "type": "UpstreamException", "message": "", "error": ""}, "UpstreamException"),
        ("<myanimelist><error>Invalid username</error></myanimelist>", "Invalid username"),
        ("error code: 1015", "error code: 1015"),
        ("Too Many Requests\n", "Too Many Requests"),
    ],
)
def test_an_answer_that_is_an_error_is_named_as_one(answer: object, words: str) -> None:
    assert refusal(answer) == f"this is an error message, not a list: {words}"


@pytest.mark.parametrize(
    "document",
    [
        [{"target_id": 1, "target_type": "Anime", "target_title": "A", "score": 9, "status": "completed"}],
        {"anime": [{"mal_id": 1, "title": "A", "score": 9, "watching_status": 2}]},
        {"data": {"entries": [{"anime": {"mal_id": 1, "title": "A"}, "score": 9, "status": "Completed"}]}},
    ],
)
def test_json_that_is_a_table(document: object) -> None:
    [entry] = read(document).entries
    assert (entry.anime_id, entry.title, entry.rating, entry.status) == (1, "A", 9, Status.COMPLETED)


@pytest.mark.parametrize(
    ("inside", "title", "note"),
    [
        ("<series_title>Panty & Stocking</series_title>", "Panty & Stocking", "1 bare & were escaped"),
        ("<series_title>Caf&eacute; &amp; &#65;</series_title>", "Café & A", "1 HTML entities were replaced"),
        ("<series_title>I <3 you</series_title>", "I <3 you", "1 bare < were escaped"),
        (
            "<series_title>T</series_title><my_comments><![CDATA[good \x0b\x08& <b>]]></my_comments>",
            "T",
            "2 character(s) that XML forbids were removed",
        ),
        ("<series_title>a&#8;b</series_title>", "ab", "1 character(s) that XML forbids were removed"),
        ("<series_title>&#55357;&#56832;</series_title>", "😀", "1 halves of characters were joined"),
        ("<series_title>&nothing; ]]></series_title>", "&nothing; ]]>", "1 bare & were escaped"),
    ],
)
def test_faults_of_exporters_in_xml_are_repaired_and_counted(inside: str, title: str, note: str) -> None:
    found = read(xml(inside))
    assert [(one.title, one.rating) for one in found.entries] == [(title, 8)]
    assert note in found.notes


def test_an_odd_byte_in_xml_is_replaced_and_counted() -> None:
    comment = "<series_title>Café</series_title><my_comments>x</my_comments>"
    found = read(xml(comment).encode().replace(b"<my_comments>x", b"<my_comments>\xff"))
    assert (found.entries[0].title, found.entries[0].rating) == ("Café", 8)
    assert found.notes == ("1 byte(s) are not UTF-8 and were replaced",)
    found = read(xml("<series_title>Café</series_title>").encode("latin-1"))
    assert found.entries[0].title == "Café"
    found = read(xml("<series_title>鋼の錬金術師</series_title>", "Shift_JIS").encode("cp932"))
    assert (found.entries[0].title, found.notes) == ("鋼の錬金術師", ())


def test_repairs_leave_good_xml_and_the_defences_alone() -> None:
    good = xml("<series_title><![CDATA[a & b]]></series_title><!-- & < -->")
    assert repair(good) == (good, ())
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + xml("<series_title>&b; & c</series_title>")[40:]
    assert "EntitiesForbidden" in refusal(bomb)
    assert "the XML cannot be read" in refusal("<myanimelist>" + "<![CDATA[" * 100_000)


def test_an_xml_export_without_its_anime_is_refused() -> None:
    info = "<myanimelist><myinfo><user_total_anime>300</user_total_anime></myinfo></myanimelist>"
    assert "says that it is of 300 anime, and has no <anime>" in refusal(info)
