"""``pip install gars`` alone: loading a model and recommending need no optional package."""

import subprocess
import sys
from pathlib import Path

from gars import Recommender

BLOCKED = (
    "keras",
    "jax",
    "gensim",
    "tensorflow",
    "tensorboard",
    "litestar",
    "granian",
    "rapidfuzz",
    "defusedxml",
    "httpx",
    "prometheus_client",
    "pandas",
    "numba",
    "pyarrow",
    "opentelemetry",
    "requests",
)

SCRIPT = """
import sys
sys.modules.update(dict.fromkeys({blocked}))  # None = importing it fails
from gars import Recommender, Rating, Filters
{body}
"""


def run(body: str) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(blocked=BLOCKED, body=body)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)


def test_load_and_recommend_without_extras(small: Recommender, tmp_path: Path) -> None:
    small.save(tmp_path / "model")
    done = run(
        f"rec = Recommender.load({str(tmp_path / 'model')!r})\n"
        "print([one.anime_id for one in rec.recommend(history=[Rating(100, 9)], k=3)])\n"
        "print(rec.similar(100, 2)[0][0], rec.similar_users(user_id=3, k=1)[0][0])"
    )
    assert done.returncode == 0, done.stderr
    expected = [one.anime_id for one in small.recommend(history=[(100, 9)], k=3)]
    assert done.stdout.splitlines()[0] == str(expected)


def test_fitting_without_the_extra_names_it() -> None:
    done = run(
        "import polars as pl\n"
        "from gars_test_support.world import small_world, SMALL\n"
        "Recommender.fit(*small_world(), config=SMALL, progress=False)"
    )
    assert "MissingExtraError: Item2Vec needs optional packages" in done.stderr
    assert "pip install 'gars[train]'" in done.stderr


def test_the_block_blocks() -> None:
    assert "ModuleNotFoundError: import of keras halted" in run("import keras").stderr


def test_serving_without_the_extra_names_it() -> None:
    done = run("import sys; sys.argv = ['gars', 'serve']\nfrom gars.entrypoints.cli.app import main; main()")
    assert done.returncode == 1
    assert "gars serve needs optional packages" in done.stderr
    assert "pip install 'gars[serve]'" in done.stderr


def test_lists_without_the_extra_name_it() -> None:
    done = run(
        "import sys; sys.argv = ['gars', 'lists', 'export', '--user', 'me']\n"
        "from gars.entrypoints.cli.app import main; main()"
    )
    assert done.returncode == 1
    assert "gars lists needs optional packages" in done.stderr
    assert "pip install 'gars[serve]'" in done.stderr
