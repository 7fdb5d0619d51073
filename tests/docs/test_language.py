"""The check of docstrings refuses discouraged words, and accepts counts that fall."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_language.py"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A checkout with one package, of which two discouraged words are allowed."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "src" / "gars" / "ranking").mkdir(parents=True)
    (tmp_path / "scripts" / "language_counts.json").write_text(json.dumps({"ranking": {"words": 2, "openings": 0}}))
    return Path(shutil.copy(SCRIPT, tmp_path / "scripts"))


def check(script: Path, docstring: str, package: str = "ranking") -> subprocess.CompletedProcess[str]:
    folder = script.parents[1] / "src" / "gars" / package
    folder.mkdir(exist_ok=True)
    (folder / "module.py").write_text(f'"""{docstring}"""\n')
    return subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("docstring", ["Return the posterior mean.", "Return what nobody said."])
def test_counts_up_to_the_stored_ones_pass(script: Path, docstring: str) -> None:
    assert check(script, docstring).returncode == 0


@pytest.mark.parametrize(
    ("docstring", "package", "problem"),
    [
        ("Return what nobody said or heard.", "ranking", "docstrings of ranking: 3 words, at most 2 allowed"),
        ("Whether it converged.", "ranking", "docstrings of ranking: 1 openings, at most 0 allowed"),
        ("Tell the model.", "retrieval", "docstrings of retrieval: 1 words, at most 0 allowed"),
    ],
)
def test_higher_counts_fail_with_file_and_word(script: Path, docstring: str, package: str, problem: str) -> None:
    found = check(script, docstring, package)
    assert found.returncode == 1
    assert problem in found.stderr
    assert f"src/gars/{package}/module.py" in found.stderr


def test_names_of_tests_have_no_discouraged_word(script: Path) -> None:
    folder = script.parents[1] / "tests" / "unit"
    folder.mkdir(parents=True)
    named = "test_nobody_" + "is_told"
    (folder / "test_it.py").write_text(f"class TestIt:\n    def {named}(self):\n        pass\n")
    found = check(script, "Return the posterior mean.")
    assert found.returncode == 1
    assert f"tests/unit/test_it.py: 'nobody' in the name {named}" in found.stderr
    (folder / "test_it.py").write_text("def test_refused_event_is_logged():\n    pass\n")
    assert check(script, "Return the posterior mean.").returncode == 0


@pytest.mark.parametrize(
    "code",
    [
        "said = 1",
        "def send(said): ...",
        "send = lambda *said: 0",
        "[said for said in ()]",
        "class A:\n    said: str",
        "self.said = 1",
        "def _said(): ...",
        "try: ...\nexcept OSError as said: ...",
        "SAID = 1",
    ],
)
def test_variables_and_parameters_have_no_discouraged_name(script: Path, code: str) -> None:
    folder = script.parents[1] / "tests" / "unit"
    folder.mkdir(parents=True)
    (folder / "module.py").write_text(f"{code}\n")
    found = check(script, "Return the posterior mean.")
    assert found.returncode == 1
    assert "names in tests/unit: 1 discouraged, at most 0 allowed" in found.stderr
    assert "tests/unit/module.py:" in found.stderr
    counts = script.with_name("language_counts.json")
    counts.write_text(json.dumps({**json.loads(counts.read_text()), "names": {"tests/unit": 1}}))
    assert check(script, "Return the posterior mean.").returncode == 0
    (folder / "module.py").write_text("message = 'said'\nsaidar = message\n")
    assert subprocess.run([sys.executable, script, "--write"], check=False).returncode == 0
    assert json.loads(counts.read_text())["names"] == {}
