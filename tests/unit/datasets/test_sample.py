"""The real sample, read from the mirror: exact counts, so that a change of a reader is seen."""

from __future__ import annotations

import lzma
import os
import zipfile
from pathlib import Path

import polars as pl
import pytest

from gars.datasets.build import build_sample
from gars.datasets.dataset import Dataset, catalogue_anime
from gars.datasets.readers.caserec import read_sample
from gars.datasets.readers.mal2016 import read_catalogue
from gars.datasets.shipped import CATALOGUE, FOLDER, RATINGS, pack, shipped_sample
from gars.datasets.sources import BANGUMI, CATALOGUE_2016, ENRICHING, RATINGS_SAMPLE
from gars.datasets.splits import PARTS, fixed_like_split, fixed_topn_split
from gars.datasets.validate import validate
from gars.runtime.progress import Silent

MIRROR = os.environ.get("GARS_MIRROR", "")
pytestmark = [
    pytest.mark.sample,
    pytest.mark.skipif(not MIRROR, reason="GARS_MIRROR is not set: the real sample was not read"),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Built from the mirror alone: bangumi-data comes from a registry, which a test must not need."""
    home = tmp_path_factory.mktemp("home")
    mirrored = tuple(source for source in ENRICHING if source is not BANGUMI)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gars.datasets.build.ENRICHING", mirrored)
        return build_sample(home, mirror=Path(MIRROR), progress=Silent())


def test_the_shipped_files_are_made_from_the_published_ones(tmp_path: Path) -> None:
    pack(Path(MIRROR) / RATINGS_SAMPLE.file_name, Path(MIRROR) / CATALOGUE_2016.file_name, tmp_path)
    for shipped in (RATINGS, CATALOGUE):
        again = lzma.decompress((tmp_path / shipped.name).read_bytes())
        assert again == lzma.decompress(shipped.read_bytes()), shipped.name
    assert lzma.decompress(CATALOGUE.read_bytes()) == (Path(MIRROR) / CATALOGUE_2016.file_name).read_bytes()
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 1 << 20


def test_the_shipped_sample_is_the_published_one_row_by_row() -> None:
    catalogue = read_catalogue(Path(MIRROR) / CATALOGUE_2016.file_name)
    published, shipped = read_sample(Path(MIRROR) / RATINGS_SAMPLE.file_name, catalogue), shipped_sample(catalogue)
    assert shipped.interactions.equals(published.interactions)
    assert shipped.ids.equals(published.ids)
    with zipfile.ZipFile(Path(MIRROR) / RATINGS_SAMPLE.file_name) as archive:
        table = pl.read_csv(archive.read("anime/anime_ratings.dat"), separator="\t")
    rated = shipped.interactions.drop_nulls("rating").join(shipped.ids, on="anime_id", maintain_order="left")
    assert rated.select("user_id", "sample_id", "rating").rows() == table.rows(), "file order, which the splits rely on"


def test_counts(sample: Dataset) -> None:
    report = validate(sample)
    assert (report.rows, report.users, report.anime, report.catalogue) == (520_609, 5_000, 7_390, 12_294)
    assert sum(report.ratings.values()) == 419_943
    assert (report.orphans, report.duplicates, report.faults) == (0, 0, [])
    liked = sum(count for rating, count in report.ratings.items() if rating > 7) / 419_943
    assert liked == pytest.approx(0.606, abs=0.0005)


def test_ids_are_those_of_myanimelist(sample: Dataset) -> None:
    titles = dict(sample.catalogue().select("anime_id", "title").iter_rows())
    assert titles[1] == "Cowboy Bebop"
    assert titles[5114] == "Fullmetal Alchemist: Brotherhood"
    assert titles[28977] == "Gintama°", "entities are decoded"
    counts = sample.interactions().group_by("anime_id").len().collect()
    assert titles[counts.sort("len", descending=True)["anime_id"][0]] == "Death Note"


def test_enrichment_covers_what_people_watch(sample: Dataset) -> None:
    """Shares of interactions, not of the long tail; a join that breaks would fall far below."""
    watched = sample.interactions().select("anime_id").collect().join(sample.catalogue(), on="anime_id")
    for column, least in (
        ("year", 0.99),
        ("duration_min", 0.85),
        ("anilist_id", 0.85),
        ("tvdb_id", 0.8),
        ("source", 0.75),
    ):
        known = 1 - watched[column].null_count() / watched.height
        assert known > least, f"{column}: {known:.3f}"
    assert (watched["franchise"].str.starts_with("tvdb:")).mean() > 0.8  # type: ignore[operator]


def test_sequels_and_franchises(sample: Dataset) -> None:
    rows = {row["anime_id"]: row for row in sample.catalogue().to_dicts()}
    assert 25777 in rows[16498]["sequels"], "Shingeki no Kyojin"
    assert 16498 in rows[25777]["prequels"]
    assert rows[16498]["franchise"] == rows[25777]["franchise"] != rows[1]["franchise"]
    assert 7791 in rows[5680]["sequels"], "K-On! goes on as K-On!!, not only as the special Live House!"
    assert 4181 in rows[2167]["sequels"], "Clannad goes on as Clannad: After Story"
    assert sum(bool(row["sequels"]) for row in rows.values()) > 750
    for row in rows.values():
        for other in row["sequels"]:
            assert row["anime_id"] in rows[other]["prequels"]
            assert row["franchise"] == rows[other]["franchise"]
        assert row["anime_id"] not in row["related"]


def test_missing_is_null_never_zero_or_a_word(sample: Dataset) -> None:
    catalogue = sample.catalogue()
    for name in ("episodes", "score", "members", "year", "duration_min", "anilist_id", "anidb_id", "tvdb_id"):
        assert (catalogue[name].drop_nulls() > 0).all(), name
    for name, kind in catalogue.schema.items():
        if kind == pl.String and not name.startswith("title"):
            words = catalogue[name].drop_nulls().str.to_lowercase()
            assert not words.is_in(["unknown", "", "none", "nan"]).any(), name


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("random", (335_954, 41_994, 41_995, 0)),
        ("per-user", (302_705, 33_531, 83_707, 0)),
        ("cold-users", (357_377, 4_508, 7_727, 50_331)),
    ],
)
def test_fixed_like_splits(sample: Dataset, tmp_path: Path, name: str, counts: tuple[int, ...]) -> None:
    split = fixed_like_split(name, tmp_path, mirror=Path(MIRROR), progress=Silent())
    assert tuple(len(split.rows(part)) for part in PARTS) == counts
    rows = pl.DataFrame({"user_id": split.user, "anime_id": split.anime_id, "rating": split.rating})
    known = sample.interactions().select("user_id", "anime_id", "rating").drop_nulls("rating").collect()
    assert rows.sort("user_id", "anime_id").equals(known), "the same ratings as the data set's"


def test_fixed_topn_split(sample: Dataset, tmp_path: Path) -> None:
    split = fixed_topn_split(tmp_path, mirror=Path(MIRROR), progress=Silent())
    assert (len(split.items), len(split.train_users)) == (3_011, 3_020)
    assert (len(split.validation), len(split.test)) == (500, 500)
    liked = sample.interactions().filter(pl.col("rating") > 7).select("user_id", "anime_id").collect()
    pairs = set(liked.iter_rows())
    for one in (*split.validation, *split.test):
        assert {(one.user, anime) for anime in (*one.fold_in, *one.targets)} <= pairs
        assert one.user not in split.train_users


def test_the_catalogue_becomes_domain_values(sample: Dataset) -> None:
    anime = catalogue_anime(sample.catalogue())
    assert len(anime) == 12_294
    assert anime[0].titles[0] == "Cowboy Bebop"
