"""The arithmetic of benchmarks/million.py, and that it measures; what it measures, no test says."""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def million(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("pyarrow", reason="the cluster extra is not installed")
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("million")
    sys.modules.pop("million", None)
    sys.modules.pop("common", None)


@pytest.fixture
def figures(million: Any) -> Any:
    return million.Figures(seconds=0.36, start=2, memory=500, shard=0.5, photo=125_000, row=100, file=10_000)


def test_a_million_photos_add_up(million: Any, figures: Any) -> None:
    outcome = million.work_out(figures, million.Work(1_000_000, 100, 8, price=0.05, bandwidth=10))
    # A hundred core-hours, and what a thousand shards and a hundred starts take.
    assert outcome.core_hours == pytest.approx(100 + (1000 * 0.5 + 100 * 2) / 3600)
    # Ten shards of a thousand photos for each core, one after the other.
    assert outcome.hours == pytest.approx((2 + 10 * 360.5) / 3600)
    assert outcome.cost == pytest.approx(outcome.hours * 100 * 0.05)
    assert (outcome.machines, outcome.shards, outcome.waits) == (13, 1000, False)
    assert outcome.photos_gb == pytest.approx(125)
    assert outcome.readings_gb == pytest.approx(0.11)
    assert outcome.gbit == pytest.approx(100 * 1e-3 / 0.36)
    assert outcome.memory_gb == pytest.approx(4)


def test_where_the_network_is_slow_it_sets_the_pace(million: Any, figures: Any) -> None:
    outcome = million.work_out(figures, million.Work(1_000_000, 100, 8, price=0.05, bandwidth=0.1))
    assert outcome.waits
    assert outcome.hours == pytest.approx(1e6 * 1e6 / 1e8 / 3600)


def test_more_cores_never_take_longer_and_shards_hold_all(million: Any, figures: Any) -> None:
    outcomes = [million.work_out(figures, million.Work(10_000, cores, 8, 0.05, 10)) for cores in (1, 4, 16, 64)]
    assert [outcome.hours for outcome in outcomes] == sorted((o.hours for o in outcomes), reverse=True)
    assert [outcome.shards for outcome in outcomes] == [math.ceil(10_000 / size) for size in (1000, 625, 157, 40)]


def test_it_measures_and_prints_both_tables(imagenet: Path) -> None:
    pytest.importorskip("ray.data", reason="the cluster extra is not installed")
    words = ["--photos", str(imagenet), "--count", "2", "--rounds", "1", "--models", "fast", "--cores", "8,16"]
    command = [sys.executable, str(FOLDER / "million.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    line, _, tables = done.stdout.partition("\n")
    told = json.loads(line)
    assert (told["model"], told["photos"]) == ("fast", 2)
    assert all(told[name] > 0 for name in ("seconds", "start", "memory", "shard", "photo", "row", "file"))
    assert "| measured | fast |" in tables
    assert tables.count("| fast |") == 3
