from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dogmood.errors import UsageError
from dogmood.results import open_results
from dogmood.stored import rows_in
from test_results import BAD, CAT, ENDINGS, FRAMES, PAIR


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_written_is_read_back(tmp_path: Path, ending: str) -> None:
    readings = [PAIR, CAT, BAD, *FRAMES, replace(CAT, source="犬 'x'.jpg")]
    with open_results(tmp_path / f"out.{ending}") as results:
        for reading in readings:
            results.write(reading)
    expected = [row for reading in readings for row in reading.to_rows()]
    assert list(rows_in(tmp_path / f"out.{ending}")) == expected


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_results(path) as results:
        results.write(CAT)
        results.write(PAIR)
    path.write_bytes(path.read_bytes()[:-20])
    assert [row["source"] for row in rows_in(path)] == ["cat.jpg"]


def test_columns_that_an_earlier_version_lacked_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("source,status,emotion,sure,fear\na.jpg,read,fear,True,0.75\n")
    (row,) = rows_in(path)
    assert (row["source"], row["sure"], row["fear"], row["time"], row["taken"]) == ("a.jpg", True, 0.75, None, None)


def test_a_table_that_a_spreadsheet_has_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_results(path) as results:
        results.write(PAIR)
        results.write(replace(CAT, source="\ufeffcat.jpg"))
    expected = list(rows_in(path))
    saved = path.read_text("utf-8").replace("True", "TRUE").replace("False", "FALSE")
    path.write_text(saved, "utf-8-sig")
    assert list(rows_in(path)) == expected


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("content", [b"woof\n", b"[1]\n", b'{"a": 1}\n', b"\xff\xfe\x00\n", b"a,b\n1,2\n"])
def test_other_files_are_one_sentence(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_bytes(content)
    if ending == "csv" and b"\xff" not in content and b"," not in content:
        assert list(rows_in(path)) == []  # a table of one column without rows
        return
    with pytest.raises(UsageError, match=str(path)) as refused:
        list(rows_in(path))
    assert len(str(refused.value).splitlines()) == 1


def test_a_wrong_number_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("source,status,emotion,sure,fear\na.jpg,read,fear,perhaps,0.75\n")
    with pytest.raises(UsageError, match="something else"):
        list(rows_in(path))
    with pytest.raises(UsageError, match="does not exist"):
        list(rows_in(tmp_path / "nowhere.csv"))
    with pytest.raises(UsageError, match="must end in"):
        list(rows_in(tmp_path / "notes.txt"))
