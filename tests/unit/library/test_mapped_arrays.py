"""Arrays of a model in files: numpy reads them, they are mapped in place, and pages that are taken away come back."""

import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gars import Recommender
from gars.library.mapped_arrays import map_arrays, unload_pages, write_arrays

ARRAYS = {
    "numbers": np.arange(7, dtype=np.int32),
    "fortran": np.asfortranarray(np.arange(15, dtype=np.float32).reshape(3, 5)),
    "wörter": np.array(["a", "bcd"]),
    "empty": np.zeros((0, 4)),
    "scalar": np.array(3.5),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with (tmp_path / "arrays.npz").open("wb") as opened:
        write_arrays(opened, ARRAYS)
    return tmp_path / "arrays.npz"


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())


def is_mapped(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def test_numpy_reads_what_is_written(file: Path) -> None:
    with np.load(file) as read:
        assert read.keys() == ARRAYS.keys()
        assert all(same(read[name], array) for name, array in ARRAYS.items())


@pytest.mark.skipif(os.name != "posix", reason="a mapped file cannot be deleted on Windows: arrays are read")
def test_arrays_are_mapped_in_place(file: Path) -> None:
    mapped = map_arrays(file)
    assert mapped.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert same(mapped[name], array)
        assert is_mapped(mapped[name])
        assert mapped[name].flags.writeable  # or compiled loops would be compiled once more for it
        assert mapped[name].ctypes.data % 64 == 0
    mapped["numbers"][0] = 9
    assert map_arrays(file)["numbers"][0] == 0, "the file stays as it is"


def test_the_same_arrays_are_the_same_bytes(file: Path, tmp_path: Path) -> None:
    with (tmp_path / "again.npz").open("wb") as opened:
        write_arrays(opened, ARRAYS)
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_of_numpy_are_read(save, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    save(tmp_path / "of-numpy.npz", **ARRAYS)
    read = map_arrays(tmp_path / "of-numpy.npz")
    assert all(same(read[name], array) for name, array in ARRAYS.items())


def test_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", anything=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        map_arrays(tmp_path / "objects.npz")


@pytest.mark.skipif(os.name != "posix", reason="a mapped file cannot be deleted on Windows: arrays are read")
def test_a_loaded_model_reads_its_files_in_place(small: Recommender, tmp_path: Path) -> None:
    small.save(tmp_path / "model")
    vectors = Recommender.load(tmp_path / "model").engine.retriever.vectors
    assert is_mapped(vectors)
    unload_pages()
    np.testing.assert_array_equal(vectors, small.engine.retriever.vectors)


UNLOADED = """
import sys
from pathlib import Path
from typing import Any
import numpy as np
from gars.library.malloc import resident_mb
from gars.library.mapped_arrays import map_arrays, unload_pages, write_arrays
file = Path(sys.argv[1])
with file.open("wb") as opened:
    write_arrays(opened, {"ones": np.ones(100_000_000, np.int8)})
ones = map_arrays(file)["ones"]
before = resident_mb()
total = int(ones.sum(dtype=np.int64))
read = resident_mb()
unload_pages()
print(read - before, read - resident_mb(), total == int(ones.sum(dtype=np.int64)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pages are taken away on Linux")
def test_pages_leave_the_process_and_come_back(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UNLOADED, str(tmp_path / "ones.npz")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert float(printed[0]) > 80, "what is read is resident"
    assert float(printed[1]) > 80
    assert printed[2] == "True"
