"""The same seed and data give the same artefact in every process: hash seeds, threads and compilers have no say."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gars import Recommender
from gars_test_support.world import SMALL, small_world

FIT = """
import sys
from gars import Recommender
from gars_test_support.world import SMALL, small_world
print(Recommender.fit(*small_world(), config=SMALL, progress=False).save(sys.argv[1]).version)
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_makes_the_same_artefact(small: Recommender, hash_seed: str, tmp_path: Path) -> None:
    manifest = small.save(tmp_path / "here")
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    there = subprocess.run(
        [sys.executable, "-c", FIT, str(tmp_path / "there")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert there.returncode == 0, there.stderr
    assert there.stdout.split() == [manifest.version]


def test_another_thread_that_draws_random_numbers_changes_nothing(small: Recommender, tmp_path: Path) -> None:
    fitted = threading.Event()

    def draw() -> None:
        while not fitted.wait(0.001):
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        fitted_model = Recommender.fit(*small_world(), config=SMALL, progress=False)
    finally:
        fitted.set()
        thread.join()
    assert fitted_model.save(tmp_path / "drawing").version == small.save(tmp_path / "alone").version


def test_a_fit_leaves_the_random_numbers_of_its_caller_alone() -> None:
    random.seed(3)
    expected = random.random()
    random.seed(3)
    Recommender.fit(*small_world(), config=SMALL, progress=False)
    assert random.random() == expected
