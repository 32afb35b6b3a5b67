from __future__ import annotations

from pathlib import Path

import pytest

from dogmood.lab.context import measure_context
from dogmood.lab.data.manifest import read_rows, write_rows


def test_each_condition_is_measured_on_every_photo(small_data: Path) -> None:
    figures = measure_context("fast", small_data, "test")
    assert figures["n"] == 10
    assert figures["chance"] == pytest.approx(0.2)
    assert len(figures["accuracy"]) == 5
    assert all(0 <= figure["value"] <= 1 for figure in figures["accuracy"].values())


def test_photos_without_groups_give_intervals_with_width(small_data: Path, tmp_path: Path) -> None:
    (tmp_path / "emotions").mkdir()
    (tmp_path / "emotions" / "photos").symlink_to(small_data / "emotions" / "photos")
    (tmp_path / "finder").symlink_to(small_data / "finder")
    write_rows(tmp_path / "emotions", [{**row, "group": ""} for row in read_rows(small_data / "emotions")])
    ungrouped, grouped = (measure_context("fast", data, "test")["accuracy"] for data in (tmp_path, small_data))
    # Each photo was a group of its own.
    assert ungrouped == grouped
    assert any(low < high for low, high in (figure["interval"] for figure in ungrouped.values()))
