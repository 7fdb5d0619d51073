"""The hook of the repository refuses subjects that break the rules of CONTRIBUTING.md."""

import subprocess
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[2] / ".githooks" / "commit-msg"


def check(tmp_path: Path, message: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "message").write_text(message)
    return subprocess.run([HOOK, tmp_path / "message"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("subject", ["Add a page", "Embed titles", "A" * 72, "fixup! add a page.", "Merge branch 'x'"])
def test_subjects_that_follow_the_rules_pass(tmp_path: Path, subject: str) -> None:
    assert check(tmp_path, f"{subject}\n\nAny body.\n").returncode == 0


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("A" * 73, "is longer than 72 characters"),
        ("Add a page.", "ends with a full stop"),
        ("add a page", "does not begin with a capital letter"),
        ("Added a page", "is not in the imperative"),
        ("Adding a page", "is not in the imperative"),
    ],
)
def test_other_subjects_are_refused_with_the_reason(tmp_path: Path, subject: str, reason: str) -> None:
    done = check(tmp_path, subject)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "git commit -e" in done.stderr
