from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest

from dogmood.errors import UsageError
from dogmood.outputs import open_output
from dogmood.reading import COLUMNS, Reading
from test_reading import MODEL, REX

READINGS = (REX, Reading("cat.jpg", "no_dog", 10, 20, MODEL), Reading("x", "unreadable", 0, 0, MODEL, reason="No."))


def written(path: Path) -> Path:
    with open_output(path) as write:
        for reading in READINGS:
            write(reading)
    return path


def test_json_is_a_list_and_json_lines_are_lines(tmp_path: Path) -> None:
    expected = [reading.to_dict() for reading in READINGS]
    assert json.loads(written(tmp_path / "out.json").read_text()) == expected
    lines = written(tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == expected


def test_csv_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    rows = [row for reading in READINGS for row in reading.to_rows()]
    with written(tmp_path / "out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == list(COLUMNS)
    assert table == [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]
    assert pyarrow.parquet.read_table(written(tmp_path / "out.parquet")).to_pylist() == rows


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "parquet"])
def test_no_readings_give_a_valid_empty_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    with open_output(path):
        pass
    if ending == "json":
        assert json.loads(path.read_text()) == []
    elif ending == "parquet":
        assert pyarrow.parquet.read_table(path).num_rows == 0
    else:
        assert len(path.read_text().splitlines()) == (ending == "csv")


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "parquet"])
def test_a_stop_in_the_middle_leaves_the_old_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_text("old")

    def stop() -> None:
        with open_output(path) as write:
            write(REX)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_ending_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.json"), open_output(tmp_path / "out.xlsx"):
        pass
    with pytest.raises(UsageError, match="name too long"), open_output(tmp_path / f"{'x' * 300}.csv"):
        pass
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(UsageError, match="is a folder"), open_output(tmp_path / "dir.csv"):
        pass
