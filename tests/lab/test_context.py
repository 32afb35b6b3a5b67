from __future__ import annotations

from pathlib import Path

import pytest

from dogmood.lab.context import measure_context


def test_each_condition_is_measured_on_every_photo(small_data: Path) -> None:
    figures = measure_context("fast", small_data, "test")
    assert figures["n"] == 10
    assert figures["chance"] == pytest.approx(0.2)
    assert len(figures["accuracy"]) == 5
    assert all(0 <= figure["value"] <= 1 for figure in figures["accuracy"].values())
