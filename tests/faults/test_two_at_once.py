"""Two processes on one output: one works, the other is told; or both leave the same whole file."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from dogmood import atomic
from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.bundle import open_bundle
from dogmood.errors import UsageError
from dogmood.lab.features import FeatureCache
from dogmood.lab.run import Run
from dogmood.result_file import ResultFile
from dogmood.results import open_results
from faults.test_kills import ENDINGS, SMALL, check_run, rows_in
from faults.warm import Ended, Warm
from test_reading import REX
from test_results import CAT


def both(warm: Warm, *words: object) -> tuple[Ended, Ended]:
    """Start the same command twice at once; return how they ended, the better end first."""
    children = [warm.start(*words), warm.start(*words)]
    one, other = sorted((child.wait() for child in children), key=lambda ended: ended.code)
    for ended in (one, other):
        assert "Traceback" not in ended.err
    return one, other


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_read(warm: Warm, toy: Path, footage: Path, tmp_path: Path, ending: str, more: list[str]) -> None:
    out = tmp_path / f"out.{ending}"
    one, other = both(warm, "read", "--quiet", "--model", toy, "--fps", "10", footage, "--out", out, *more)
    assert one.code == 0, one.err
    assert other.code == (2 if not more else other.code)
    if other.code:
        assert "another run" in other.err or "exists already" in other.err
    rows = rows_in(out)
    assert len(rows) == len(set(rows)) == 29
    assert list(tmp_path.iterdir()) == [out]


def test_a_run_that_lost_the_race_leaves_the_winner_s_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.jsonl"
    real = ResultFile._open_alone

    def late(results: ResultFile) -> object:
        # Between looking and opening, another run begins.
        monkeypatch.setattr(ResultFile, "_open_alone", real)
        with open_results(path) as winner:
            winner.write(REX)
            return real(results)

    monkeypatch.setattr(ResultFile, "_open_alone", late)
    with pytest.raises(UsageError, match="another run"), open_results(path):
        pass
    assert [source for source, _ in rows_in(path)] == ["rex.jpg"]


def test_a_run_never_writes_to_a_file_that_another_took_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "out.jsonl", atomic.lock

    def taken_away(handle: int) -> bool:
        monkeypatch.setattr("dogmood.result_file.lock", real)
        path.unlink()
        return real(handle)

    monkeypatch.setattr("dogmood.result_file.lock", taken_away)
    with open_results(path) as results:
        results.write(CAT)
    assert [source for source, _ in rows_in(path)] == ["cat.jpg"]


def test_train_on_one_folder_and_a_sweep_in_one(warm_lab: Warm, small_data: Path, tmp_path: Path) -> None:
    cache = ["--cache", tmp_path / "cache"]
    words = ["train", "--data", small_data / "emotions", *SMALL, *cache, "--out"]
    one, other = both(warm_lab, *words, tmp_path / "run")  # both make the cache, too
    assert (one.code, other.code) == (0, 2), other.err
    assert "is not empty" in other.err or "Another run is at work" in other.err
    assert warm_lab.run(*words, tmp_path / "through").code == 0
    check_run(Run.open(tmp_path / "run"), Run.open(tmp_path / "through"))
    sets = [f"--set={a[2:]}={b}" for a, b in zip(SMALL[::2], SMALL[1::2], strict=True)]
    words = ["sweep", "rate=0.01,0.02", "--seeds", "1", "--jobs", "1", *sets, "--data", small_data / "emotions", *cache]
    one, other = both(warm_lab, *words, "--out", tmp_path / "sweep")
    assert (one.code, other.code) == (0, 2), one.err + other.err
    assert other.err == f"Another run is at work in {tmp_path / 'sweep'}: wait for it, or stop it.\n"
    assert len(json.loads((tmp_path / "sweep" / "sweep.json").read_text())) == 2
    one, other = both(warm_lab, "export", tmp_path / "run", *cache)
    assert (one.code, other.code) == (0, 0), other.err
    assert open_bundle(tmp_path / "run" / "model.dogmood").name == "model"
    assert not list((tmp_path / "run").glob("*.part"))


def test_two_fill_one_cache_of_features(tmp_path: Path) -> None:
    def model(batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (batch.mean(dim=(2, 3)),)

    def fill(_: int) -> list[np.ndarray]:
        keys = [str(i) for i in range(200)]
        cache = FeatureCache(tmp_path, model, "w", keys, lambda i: np.full((4, 4, 3), i, np.uint8))
        cache.fill("filling")
        return [row[0] for row in cache]

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(fill, range(2))
    assert np.array_equal(one, other)
    assert [round(float(row[0]) * 255) for row in one] == list(range(200))


@pytest.mark.skipif(os.name != "posix", reason="there are no locks to tell by")
def test_what_a_killed_writer_left_is_cleared_and_what_is_being_written_stays(tmp_path: Path) -> None:
    (tmp_path / ".out.csv.abcdefgh.dogmood.part").touch()
    (tmp_path / ".other.abcdefgh.dogmood.part").touch()
    (tmp_path / ".out.csv.abcdefgh.part").touch()  # somebody else's
    with atomic_write(tmp_path / "out.csv") as file:
        file.write(b"x")
        clear_leftovers(tmp_path, "out.csv")
        assert sorted(path.name[:7] for path in tmp_path.iterdir()) == [".other.", ".out.cs", ".out.cs"]
        clear_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.csv.abcdefgh.part", "out.csv"]
