import msgspec

from gars.domain.anime import Anime, Streaming, with_shared_labels


def test_equal_labels_are_one_object_and_nothing_else_changes() -> None:
    site = Streaming("Crunchyroll")
    two = [
        Anime(anime_id=number, title=f"Title {number}", genres=("Drama", "School"), type="TV", streaming=(site,))
        for number in (1, 2)
    ]
    other = Anime(anime_id=3, title="Film", genres=("School",), type="Movie")
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode([*two, other]), type=list[Anime])
    assert decoded[0].genres is not decoded[1].genres
    shared = with_shared_labels(decoded)
    assert shared == [*two, other]
    assert shared[0].genres is shared[1].genres
    assert shared[0].genres[1] is shared[2].genres[0]
    assert shared[0].type is shared[1].type
    assert shared[0].streaming is shared[1].streaming
