"""Fifty times killed at a random moment: what is there is whole, and the next run goes on.

Two hundred times with DOGMOOD_LONG=1.
"""

from __future__ import annotations

import csv
import json
import os
import re
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import load_file

from dogmood.bundle import open_bundle
from dogmood.lab.run import Run
from faults.warm import Child, Ended, Warm

ENDINGS = ("jsonl", "csv", "json", "parquet")
TIMES = 4 if os.environ.get("DOGMOOD_LONG") == "1" else 1
KILLS = {"read": 5 * TIMES, "train": 14 * TIMES, "export": 4 * TIMES, "serve": 12 * TIMES}
"""Of each command; of read, for each of four forms of output: 20 + 14 + 4 + 12 = 50."""


def lasting(run: Callable[[], Ended]) -> float:
    """Run something to its end; return the seconds that a kill shall be drawn from."""
    began = time.monotonic()
    ended = run()
    assert ended.code == 0, ended.err
    return time.monotonic() - began


def killed(child: Child, seconds: float) -> bool:
    """Kill a child after some time; return whether it had not ended by itself."""
    time.sleep(seconds)
    child.kill()
    ended = child.wait()
    assert ended.code in (0, -9), ended.err
    assert "Traceback" not in ended.err
    return ended.code == -9


def rows_in(path: Path) -> list[tuple[str, str]]:
    """Return source and time of every row; a torn last line is no row."""
    if path.suffix == ".parquet":
        return [(row["source"], str(row["time"])) for row in pyarrow.parquet.read_table(path).to_pylist()]
    if path.suffix == ".csv":
        whole = path.read_text().rpartition("\n")[0]
        return [(row["source"], row["time"]) for row in csv.DictReader(whole.splitlines())]
    if path.suffix == ".json":
        return [(item["source"], str(item.get("time"))) for item in json.loads(path.read_text())]
    lines = path.read_text().rpartition("\n")[0].splitlines()
    return [(item["source"], str(item.get("time"))) for item in map(json.loads, lines)]


def broken_last(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return rows with that of the broken photo at the end: a run that goes on tries it again."""
    return sorted(rows, key=lambda row: row[0].endswith("5.jpg"))


def readable(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [row for row in rows if not row[0].endswith("5.jpg")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_read(warm: Warm, toy: Path, footage: Path, tmp_path: Path, ending: str) -> None:
    words = ["read", "--model", toy, "--resume", "--fps", "10", footage, "--explain", "--pictures", tmp_path / "drawn"]
    words += ["--out"]
    out, through = tmp_path / f"out.{ending}", tmp_path / f"through.{ending}"
    usual = lasting(lambda: warm.run(*words, through))
    random, kills, tries = np.random.default_rng(ENDINGS.index(ending)), 0, 0
    while kills < KILLS["read"]:
        assert (tries := tries + 1) < 40 * KILLS["read"]
        was_killed = killed(warm.start(*words, out), random.uniform(0, usual))
        kills += was_killed
        if out.exists():
            rows = rows_in(out)
            assert len(rows) == len(set(rows))
            assert readable(rows) == readable(rows_in(through))[: len(readable(rows))]
            if ending in ("json", "parquet") or not was_killed:
                assert broken_last(rows) == broken_last(rows_in(through))
                out.unlink()
    assert warm.run(*words, out).code == 0
    assert broken_last(rows_in(out)) == broken_last(rows_in(through))
    if ending != "parquet":
        ours, theirs = ([line.rstrip(",") for line in file.read_text().splitlines()] for file in (out, through))
        assert sorted(ours) == sorted(theirs)
    assert {path.name for path in tmp_path.iterdir()} == {out.name, through.name, "drawn"}
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [f"{i}.png.png" for i in range(8)]


SMALL = ["--network", "shallow_cnn", "--cut", "photo", "--epochs", "12", "--batch", "8", "--crops", "1"]


def test_train(warm_lab: Warm, small_data: Path, tmp_path: Path) -> None:
    cache = ["--cache", tmp_path / "cache"]
    start = ["train", "--data", small_data / "emotions", *SMALL, *cache, "--out"]
    warm_lab.run(*start, tmp_path / "first")  # makes the cache
    usual = lasting(lambda: warm_lab.run(*start, tmp_path / "through"))
    through, random, kills, tries = Run.open(tmp_path / "through"), np.random.default_rng(7), 0, 0
    folder = tmp_path / "run-0"
    while kills < KILLS["train"]:
        assert (tries := tries + 1) < 40 * KILLS["train"]
        kills += killed(warm_lab.start(*words_for(start, folder, cache)), random.uniform(0, usual))
        for file in folder.glob("*.safetensors"):
            load_file(file)
        epochs = [row.epoch for row in Run.open(folder).metrics()] if (folder / "metrics.csv").exists() else []
        assert epochs == list(range(1, len(epochs) + 1))
        if len(epochs) == 12:
            check_run(Run.open(folder), through)
            folder = tmp_path / f"run-{kills}"
    ended = warm_lab.run(*words_for(start, folder, cache))
    assert ended.code == 0, ended.err
    check_run(Run.open(folder), through)


def words_for(start: list[object], folder: Path, cache: list[object]) -> list[object]:
    # A run that was killed before it was one begins anew, under the same name.
    return ["train", "--resume", folder, *cache] if (folder / "run.json").exists() else [*start, folder]


def check_run(run: Run, through: Run) -> None:
    assert [row.valid_accuracy for row in run.metrics()] == [row.valid_accuracy for row in through.metrics()]
    ours, theirs = (load_file(one.folder / "last.safetensors") for one in (run, through))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_export(warm_lab: Warm, small_data: Path, tmp_path: Path) -> None:
    cache = ["--cache", tmp_path / "cache"]
    small = [*SMALL[:5], "1", *SMALL[6:]]
    assert warm_lab.run("train", "--data", small_data / "emotions", *small, *cache, "--out", tmp_path / "run").code == 0
    (tmp_path / "out").mkdir()
    through, out = tmp_path / "through.dogmood", tmp_path / "out" / "through.dogmood"
    words = ["export", tmp_path / "run", *cache, "--out"]
    usual = lasting(lambda: warm_lab.run(*words, through))
    random, kills = np.random.default_rng(3), 0
    while kills < KILLS["export"]:
        kills += killed(warm_lab.start(*words, out), random.uniform(0, usual))
        if out.exists():
            assert open_bundle(out).sha256 == open_bundle(through).sha256
            out.unlink()
    assert warm_lab.run(*words, out).code == 0
    assert out.read_bytes() == through.read_bytes()
    assert list((tmp_path / "out").iterdir()) == [out]


def test_serve(warm_server: Warm, toy: Path, footage: Path, tmp_path: Path) -> None:
    photo, answered = (footage / "3.png").read_bytes(), set()
    words = ["serve", "--model", toy, "--port", "0", "--no-open", "--keep", tmp_path / "kept"]
    random = np.random.default_rng(11)
    for number in range(KILLS["serve"]):
        child = warm_server.start(*words)
        address = address_of(child)
        until = time.monotonic() + random.uniform(0, 0.4)
        sent = 0
        while time.monotonic() < until:
            sent += 1
            assert post(address, f"{number}-{sent}.png", photo) == 200
            answered.add(f"{number}-{sent}.png")
        in_flight = f"{number}-last.png"
        connection = HTTPConnection(address, timeout=60)
        connection.request("POST", f"/v1/read?name={in_flight}", photo)
        time.sleep(random.uniform(0, 0.03))
        child.kill()
        assert child.wait().code == -9
        try:
            if connection.getresponse().status == 200:
                answered.add(in_flight)
        except (OSError, HTTPException):
            pass  # killed first
        connection.close()
    kept = [path for path in (tmp_path / "kept").iterdir() if not path.name.startswith(".")]
    readings = [json.loads(path.read_text()) for path in kept if path.suffix == ".json"]
    sources = [reading["source"] for reading in readings]
    assert len(sources) == len(set(sources))
    assert answered <= set(sources)
    assert {name for name in set(sources) - answered if not name.endswith("-last.png")} == set()
    assert all(path.read_bytes() == photo for path in kept if path.suffix == ".png")
    assert all(path.with_suffix(".png").exists() for path in kept if path.suffix == ".json")
    child = warm_server.start(*words)
    address_of(child)
    child.kill(15)
    assert child.wait().code == 0
    assert not [path for path in (tmp_path / "kept").iterdir() if path.name.startswith(".")]


def address_of(child: Child) -> str:
    for _ in range(6000):
        if found := re.search(r"at (http://\S+) ", child.printed()):
            return urlsplit(found[1]).netloc
        time.sleep(0.01)
    child.kill()
    raise AssertionError(child.wait().err)


def post(address: str, name: str, photo: bytes) -> int:
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request("POST", f"/v1/read?name={name}", photo)
        return connection.getresponse().status
    finally:
        connection.close()
