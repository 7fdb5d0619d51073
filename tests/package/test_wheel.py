"""What is released: complete, the same bytes each time, and working where there is no checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gars import Recommender
from gars.entrypoints.api.page import FOLDER
from gars.library.registry import Registry
from gars_test_support.server import ServerProcess

ROOT = Path(__file__).parents[2]
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
Install = Callable[[str, str], Path]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
LIGHT_MB = 385
"""Most of it: polars 175 MB, scipy 110, numpy 56."""
LIBRARY = """
import sys, gars
from gars import Rating, Recommender
rec = Recommender.load(sys.argv[1])
print(gars.__file__)
print([one.anime_id for one in rec.recommend(history=[Rating(100, 9)], k=3)])
"""

pytestmark = [pytest.mark.package, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody without the checkout would; it must succeed."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV", "GARS_HOME"}}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env={**kept, **environment}, capture_output=True, text=True,
        timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


def build(source: Path, target: str, folder: Path) -> Path:
    """Build an sdist or a wheel of a source tree. → the one file of that kind in ``folder``"""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    run(*command, cwd=source, SOURCE_DATE_EPOCH="1790000000")
    (built,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of the checkout, with the page that is built in it."""
    assert (FOLDER / "index.html").is_file(), "the page is not built: make page"
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the sdist holds."""
    folder = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(sdist, folder, filter="data")
    (source,) = folder.iterdir()
    return source


@pytest.fixture(scope="session")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist as ``make dist`` does."""
    return build(unpacked, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Make an environment of a Python version with the wheel and extras (``"[demo]"``). → its folder of programs"""
    uv = Path(sys.executable).with_name("uv")
    assert uv.is_file(), "uv is not installed: make dist"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    made: dict[tuple[str, str], Path] = {}

    def make(version: str, extras: str) -> Path:
        if (version, extras) in made:
            return made[version, extras]
        found = sorted(pyenv.glob(f"{version}.*/bin"))
        path = os.pathsep.join([*map(str, reversed(found)), os.environ["PATH"]])
        python = getattr(sys, "_base_executable", sys.executable) if version == RUNNING else version
        folder = tmp_path_factory.mktemp("environment")
        settings = {"PATH": path, "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "hardlink"}
        if version != RUNNING and not _has(uv, version, settings):
            pytest.skip(f"no Python {version} on this machine")
        run(uv, "venv", "--quiet", "--python", python, folder / "venv", cwd=folder, **settings)
        programs = folder / "venv" / "bin"
        run(
            uv, "pip", "install", "--quiet", "--python", programs / "python",
            "--constraint", ROOT / "requirements" / "dev.lock", f"{wheel}{extras}", cwd=folder, **settings,
        )  # fmt: skip
        made[version, extras] = programs
        return programs

    return make


def _has(uv: Path, version: str, settings: dict[str, str]) -> bool:
    found = subprocess.run(
        [str(uv), "python", "find", "--no-project", version], env={**os.environ, **settings}, capture_output=True
    )
    return found.returncode == 0


@pytest.fixture(scope="session")
def home(small: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose serving model was fitted on the small world."""
    folder = tmp_path_factory.mktemp("home")
    registry = Registry(folder / "models")
    registry.promote(registry.add(small.save).version)
    return folder


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_is_named_after_the_version(wheel: Path) -> None:
    assert wheel.name == f"gars-{VERSION}-py3-none-any.whl"


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "src/gars", "deploy"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    wanted = {name.removeprefix("src/") if name.startswith("src/") else f"gars/{name}" for name in tracked}
    assert {"gars/py.typed", "gars/datasets/sample_2016/LICENSE-CC0.txt", "gars/deploy/compose.yaml"} <= wanted
    assert "gars/datasets/fixed_splits/top-n-strong-generalisation.json.gz" in wanted
    assert not wanted - names


def test_nothing_of_the_checkout_alone_is_in_the_wheel(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gars"}


def test_the_page_is_in_the_wheel_with_its_compressed_copies(names: set[str], wheel: Path) -> None:
    page = "gars/entrypoints/api/page/"
    with zipfile.ZipFile(wheel) as archive:
        index = archive.read(f"{page}index.html").decode()
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    loaded = re.findall(r'(?:src|href)="/(assets/[^"]+)"', index)
    assert any(name.endswith(".js") for name in loaded)
    assert any(name.endswith(".css") for name in loaded)
    assert {page + name for name in loaded} <= names
    text = [name for name in names if name.startswith(page) and name.endswith((".js", ".css", ".html"))]
    assert len(text) > 20
    large = [name for name in text if sizes[name] >= 512]
    assert {f"{name}.{kind}" for name in large for kind in ("br", "gz")} <= names


def test_licences_are_in_the_wheel(wheel: Path, names: set[str]) -> None:
    licences = f"gars-{VERSION}.dist-info/licenses/"
    assert {f"{licences}LICENSE", f"{licences}src/gars/datasets/sample_2016/LICENSE-CC0.txt"} <= names
    with zipfile.ZipFile(wheel) as archive:
        bundled = archive.read("gars/entrypoints/api/page/assets/licenses.md").decode()
    packages = msgspec.json.decode((ROOT / "web" / "package.json").read_bytes())["dependencies"]
    missing = [name for name in packages if f"## {name} - " not in bundled and name != "vue"]
    assert not missing
    assert "## @vue/runtime-dom - " in bundled
    assert bundled.count("SIL OPEN FONT LICENSE") >= 2


def test_a_second_build_has_the_same_bytes(sdist: Path, wheel: Path, unpacked: Path, tmp_path: Path) -> None:
    assert build(ROOT, "sdist", tmp_path / "sdist").read_bytes() == sdist.read_bytes()
    shutil.copytree(unpacked, tmp_path / "copy", copy_function=shutil.copy)  # files of another time
    assert build(tmp_path / "copy", "wheel", tmp_path / "wheel").read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize(
    ("lost", "message"),
    [("", "holds no built page"), ("index.html.br", "is incomplete: index.html.br"), ("assets/early.js", "early.js")],
)
def test_without_the_page_there_is_no_wheel(unpacked: Path, tmp_path: Path, lost: str, message: str) -> None:
    source = tmp_path / "source"
    shutil.copytree(unpacked, source)
    page = source / "src" / "gars" / "entrypoints" / "api" / "page"
    if lost:
        (page / lost).unlink()
    else:
        shutil.rmtree(page)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "out")],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert message in done.stderr
    assert "make page" in done.stderr
    assert not list(tmp_path.glob("out/*.whl"))


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_library_works_without_extras(
    version: str, install: Install, home: Path, small: Recommender, tmp_path: Path
) -> None:
    programs = install(version, "")
    printed = run(programs / "python", "-c", LIBRARY, home / "models" / "current", cwd=tmp_path).stdout.splitlines()
    assert Path(printed[0]).is_relative_to(programs.parent)
    assert printed[1] == str([one.anime_id for one in small.recommend(history=[(100, 9)], k=3)])
    assert run(programs / "gars", "--version", cwd=tmp_path).stdout == f"gars {VERSION}\n"
    assert "gars demo" in run(programs / "gars", "--help", cwd=tmp_path).stdout


def test_the_library_stays_light(install: Install, tmp_path: Path) -> None:
    """Without extras: bytes as installed (no bytecode), and what ``import gars`` loads before anything is used."""
    programs = install(RUNNING, "")
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    files = [file for file in packages.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert 50e6 < sum(file.stat().st_size for file in files) < LIGHT_MB * 1e6
    script = "import sys; before = set(sys.modules); import gars; print(*sorted(set(sys.modules) - before))"
    loaded = {name.partition(".")[0] for name in run(programs / "python", "-c", script, cwd=tmp_path).stdout.split()}
    assert loaded <= {"gars", *sys.stdlib_module_names}


@pytest.fixture
def served(install: Install, home: Path, tmp_path: Path) -> Iterator[str]:
    """The address of ``gars serve`` from an environment with the extra ``demo``."""
    programs = install(RUNNING, "[demo]")
    command = ["env", "-u", "PYTHONPATH", "-C", str(tmp_path), str(programs / "gars")]
    shutil.copytree(home, tmp_path / "home", symlinks=True)
    server = ServerProcess([*command, "serve", "--port", "0", "--home", str(tmp_path / "home")], ready_within_s=300)
    yield server.address
    assert server.stop() == 0, server.output


def fetch(address: str, **headers: str) -> tuple[bytes, HTTPMessage]:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
        return answer.read(), answer.headers


def test_the_service_sends_the_page_and_a_list(served: str) -> None:
    page, headers = fetch(f"{served}/")
    assert headers.get_content_type() == "text/html"
    loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.decode())
    assert len(loaded) >= 2
    hashed = [name for name in loaded if re.search(r"-[\w-]{8}\.(js|css|svg)$", name)]
    assert hashed
    for name in loaded:
        plain, headers = fetch(served + name)
        assert plain
        assert ("immutable" in headers["Cache-Control"]) == (name in hashed)
        _, headers = fetch(served + name, **{"Accept-Encoding": "br"})
        if len(plain) >= 512 and name in hashed:  # smaller files have no compressed copy
            assert headers["Content-Encoding"] == "br"
    listed: dict[str, Any] = msgspec.json.decode(fetch(f"{served}/api/v1/users/me/recommendations?k=5")[0])
    assert len(listed["items"]) == 5
    about = msgspec.json.decode(fetch(f"{served}/api/v1/about")[0])
    assert about["version"] == VERSION
