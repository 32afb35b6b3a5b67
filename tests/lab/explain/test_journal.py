from __future__ import annotations

from pathlib import Path

import pytest

from dogmood.errors import UsageError
from dogmood.lab.explain.journal import Journal

WORDS = ["one", "two", "three"]


def lengths(journal: Journal, words: list[str], part: str = "lengths") -> tuple[list[dict[str, int]], list[str]]:
    done: list[str] = []

    def measure(word: str) -> dict[str, int]:
        done.append(word)
        return {"letters": len(word)}

    return journal.each(part, words, str, measure), done


def test_finished_work_is_not_done_again(tmp_path: Path) -> None:
    first, done = lengths(Journal(tmp_path, {"model": "a"}), WORDS[:2])
    assert (first, done) == ([{"letters": 3}, {"letters": 3}], ["one", "two"])
    again, done = lengths(Journal(tmp_path, {"model": "a"}), WORDS)
    assert again == [{"letters": 3}, {"letters": 3}, {"letters": 5}]
    assert done == ["three"]


def test_other_circumstances_and_other_parts_are_other_work(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"model": "a"})
    lengths(journal, WORDS)
    assert lengths(journal, WORDS, "again")[1] == WORDS
    assert lengths(Journal(tmp_path, {"model": "b"}), WORDS)[1] == WORDS


def test_a_line_that_was_cut_short_is_done_again_and_spoils_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    lengths(journal, WORDS)
    journal.path.write_text(journal.path.read_text()[:-9])
    assert lengths(Journal(tmp_path, 0), WORDS)[1] == ["three"]
    assert lengths(Journal(tmp_path, 0), WORDS)[1] == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--work"):
        Journal(tmp_path / "file", 0)
