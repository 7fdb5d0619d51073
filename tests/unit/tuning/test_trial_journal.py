"""The record of a search survives a crash and refuses another search."""

from pathlib import Path

import pytest

from gars.application.trials import Outcome, Trial
from gars.domain.errors import InvalidInputError, StorageError
from gars.domain.metrics import Interval
from gars.tuning.trial_journal import TrialJournal

ABOUT: dict[str, object] = {"space": {"a": [1]}, "seed": 0}


def outcome(number: int) -> Outcome:
    metrics = {"auc": Interval(0.8, 0.79, 0.81)}
    settings = {"ranking.hidden": [8, 4], "ranking.dropout": 0.1}
    return Outcome(trial=Trial(number, 0), settings=settings, status="done", score=0.5, metrics=metrics, seconds=1.5)


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    journal = TrialJournal(tmp_path / "deep" / "trials.jsonl", ABOUT)
    assert journal.outcomes() == []
    for number in range(3):
        journal.append(outcome(number))
    again = TrialJournal(tmp_path / "deep" / "trials.jsonl", ABOUT)
    assert again.outcomes() == journal.outcomes() == [outcome(number) for number in range(3)]


def test_cut_short_anywhere_it_holds_the_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    journal = TrialJournal(path, ABOUT)
    journal.append(outcome(0))
    journal.append(outcome(1))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        cut = TrialJournal(path, ABOUT)
        held = max(0, whole[:length].count(b"\n") - 1)
        assert cut.outcomes() == [outcome(number) for number in range(held)]
        for number in range(held, 2):
            cut.append(outcome(number))
        assert path.read_bytes() == whole


def test_another_search_is_refused(tmp_path: Path) -> None:
    TrialJournal(tmp_path / "trials.jsonl", ABOUT)
    with pytest.raises(InvalidInputError, match="is of a search with another seed\n  → another --name"):
        TrialJournal(tmp_path / "trials.jsonl", {**ABOUT, "seed": 1})
    with pytest.raises(InvalidInputError, match="with another data and another space"):
        TrialJournal(tmp_path / "trials.jsonl", {"space": {}, "seed": 0, "data": "x"})


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    TrialJournal(path, ABOUT).append(outcome(0))
    path.write_bytes(path.read_bytes().replace(b'"done"', b'"gone"'))
    with pytest.raises(InvalidInputError, match=r"line 2 of .*trials\.jsonl is damaged: Invalid enum value 'gone'"):
        TrialJournal(path, ABOUT)


def test_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"the search could not be recorded in .*: .*File exists"):
        TrialJournal(tmp_path / "file" / "trials.jsonl", ABOUT)
