import errno
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gars import Recommender
from gars.domain.errors import ArtefactError, StorageError
from gars.library import artefact
from gars.library.fit_config import FitConfig
from gars.library.mapped_arrays import map_arrays
from gars.library.registry import Registry
from gars.library.serialisation import to_bytes, unpack

ABOUT = {"created": "2026-01-01T00:00:00+00:00", "seed": 1, "data": {}, "config": {}, "features": [], "metrics": {}}


def write(path: Path, value: float = 1.0) -> artefact.Manifest:
    return artefact.write(path, {"text": b"hello", "arrays.npz": {"a": np.full(3, value)}}, **ABOUT)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = write(tmp_path / "m")
    manifest, files = artefact.read(tmp_path / "m")
    assert manifest == written
    assert files["text"].read_bytes() == b"hello"
    assert map_arrays(files["arrays.npz"])["a"].tolist() == [1, 1, 1]


def test_the_version_is_the_content_not_the_day(tmp_path: Path) -> None:
    first = write(tmp_path / "a")
    again = artefact.write(
        tmp_path / "b", {"text": b"hello", "arrays.npz": {"a": np.ones(3)}}, **{**ABOUT, "created": "2027-01-01"}
    )
    assert first.version == again.version != write(tmp_path / "c", 2.0).version


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path / "m")
    write(tmp_path / "m", 2.0)
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["arrays.npz", "manifest.json", "text"]
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_full_disk_leaves_the_old_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write(tmp_path / "m")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artefact, "write_arrays", full)
    with pytest.raises(StorageError, match="the disk is full: could not write"):
        write(tmp_path / "m", 2.0)
    monkeypatch.undo()
    assert artefact.read(tmp_path / "m")[0] == before
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"the model could not be written to .*file/m: .*File exists"):
        write(tmp_path / "file" / "m")


def test_no_model_at_all(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"there is no model in .*\n  → train one with: gars train"):
        Recommender.load(tmp_path / "nothing")


def test_a_half_written_model(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(ArtefactError, match=r"is half-written: no manifest\.json"):
        Recommender.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: (m / "text").unlink(), "is incomplete: no text"),
        (lambda m: (m / "text").write_bytes(b"hellO"), "text is damaged: its hash is not the manifest's"),
        (lambda m: (m / "manifest.json").write_text("{"), "manifest.json is damaged"),
        (
            lambda m: (m / "manifest.json").write_text(
                (m / "manifest.json").read_text().replace('"format": 2', '"format": 99')
            ),
            "has format 99, this GARS reads 2",
        ),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    write(tmp_path / "m")
    damage(tmp_path / "m")
    with pytest.raises(ArtefactError, match=message):
        artefact.read(tmp_path / "m")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def test_nothing_serves_before_the_first_promotion(registry: Registry) -> None:
    assert registry.versions() == []
    assert registry.current() is None
    registry.add(write)
    assert registry.current() is None


def test_promote_and_roll_back(registry: Registry) -> None:
    one, two, three = (registry.add(partial(write, value=v)).version for v in (1.0, 2.0, 3.0))
    for version in (one, two, three):
        registry.promote(version[:6])
    assert registry.current() == three
    assert registry.rollback().version == two
    assert [promotion.version for promotion in registry.promotions()] == [one, two, three, two]
    assert (registry.folder / "current" / "manifest.json").is_file()


def test_the_same_content_is_one_model(registry: Registry) -> None:
    assert registry.add(write).version == registry.add(write).version
    assert len(registry.versions()) == 1
    assert [p.name for p in registry.folder.iterdir()] == [registry.versions()[0].version]


def test_a_failed_training_leaves_nothing(registry: Registry) -> None:
    def fails(path: Path) -> artefact.Manifest:
        write(path)
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError):
        registry.add(fails)
    assert list(registry.folder.iterdir()) == []


def test_promoting_what_is_not_there_names_what_is(registry: Registry) -> None:
    version = registry.add(write).version
    with pytest.raises(ArtefactError, match=f"0 models match 'zzz'; there are: {version}"):
        registry.promote("zzz")


def test_a_damaged_model_is_not_promoted(registry: Registry) -> None:
    good = registry.add(write).version
    bad = registry.add(lambda path: write(path, 2.0)).version
    registry.promote(good)
    (registry.folder / bad / "text").write_bytes(b"rotten")
    with pytest.raises(ArtefactError, match="damaged"):
        registry.promote(bad)
    assert registry.current() == good


def test_rolling_back_without_a_past(registry: Registry) -> None:
    registry.promote(registry.add(write).version)
    with pytest.raises(ArtefactError, match="no other model has served before"):
        registry.rollback()


def test_ranker_of_other_features_is_refused(small: Recommender, tmp_path: Path) -> None:
    small.save(tmp_path / "m")
    _, files = artefact.read(tmp_path / "m")
    arrays = map_arrays(files["ranker.npz"])
    narrower = {**arrays, **{name: arrays[name][1:] for name in ("mean", "deviation", "hidden_1")}}
    (tmp_path / "ranker.npz").write_bytes(to_bytes({"ranker.npz": narrower})["ranker.npz"])
    n = len(arrays["mean"])
    with pytest.raises(ArtefactError, match=f"trained on {n - 1} features, and this version of gars computes {n}"):
        unpack({**files, "ranker.npz": tmp_path / "ranker.npz"}, version="", config=FitConfig(), seed=0)


def test_model_of_format_1_gives_the_same_lists(small: Recommender, tmp_path: Path) -> None:
    manifest = small.save(tmp_path / "m")
    (tmp_path / "m" / "gaussian_process.npz").rename(tmp_path / "m" / "kriging.npz")
    text = (tmp_path / "m" / "manifest.json").read_text()
    assert manifest.format == 2
    text = text.replace('"format": 2', '"format": 1').replace('"gaussian_process.npz"', '"kriging.npz"')
    (tmp_path / "m" / "manifest.json").write_text(text)

    loaded = Recommender.load(tmp_path / "m")

    user = small.user_ids[0].item()
    assert loaded.engine.models.gaussian_process is not None
    assert loaded.recommend(user_id=user, k=20) == small.recommend(user_id=user, k=20)
