"""The wall clock may jump: nothing depends on it but the names of kept photos and when a row was stored or drawn."""

from __future__ import annotations

import ast
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import dogmood
from dogmood.lab.run import EpochMetrics, Run
from dogmood.lab.settings import settings_of
from dogmood.lab.watch import watched
from dogmood.results import open_results
from dogmood.web import keep
from dogmood.web.keep import Keep
from dogmood.web.limits import Work
from dogmood.web.uploads import Upload
from faults.test_kills import SMALL, check_run, words_for
from faults.warm import Warm
from test_reading import REX
from test_results import CAT, FRAMES, sources_in

WALL = {"time", "time_ns", "now", "today", "utcnow", "localtime", "gmtime", "ctime", "st_mtime", "st_ctime", "getmtime"}
"""Names through which the wall clock, or a file's time by it, would come in."""

KNOWN = {("web/keep.py", "now"), ("database/records.py", "now"), ("lab/board.py", "time")}


def test_nothing_else_asks_the_wall_clock() -> None:
    root = Path(dogmood.__file__).parent
    found = set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in WALL:
                # `reading.time` and the like are a video's time; `time.time` is the clock.
                if node.attr != "time" or (isinstance(node.value, ast.Name) and node.value.id == "time"):
                    found.add((str(file.relative_to(root)), node.attr))
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                found |= {(str(file.relative_to(root)), name.name) for name in node.names} & {
                    (str(file.relative_to(root)), name) for name in WALL
                }
    assert found == KNOWN


class Jumping(datetime):
    """A clock that goes back an hour each time it is asked."""

    asked = 0

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        cls.asked += 1
        return datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=cls.asked % 3)


def test_kept_photos_stay_apart_when_the_clock_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "datetime", Jumping)
    kept = Keep(tmp_path)
    paths = {kept.store(Upload(b"photo", f"{i}.png", ".png"), REX) for i in range(9)}
    assert len(paths) == 9
    assert len(list(tmp_path.iterdir())) == 18
    assert {json.loads(path.with_suffix(".json").read_text())["source"] for path in paths} == {REX.source}


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_readings_are_kept_and_forced_to_disk_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    monkeypatch.setattr(time, "time_ns", lambda: int((real() + jump) * 1e9))
    path = tmp_path / "out.parquet"
    with open_results(path) as results:
        results.write(CAT)
        results.keep_place("clip.mp4", None)
        results.write(FRAMES[0])
        results.end_video("clip.mp4")
    assert len(sources_in(path)) == 2
    work = Work(1, 1)
    assert work.submit(lambda: 1).result() == 1
    assert work.retry_after() == 1
    work.close()


YEARS = 10 * 365 * 86400.0


@pytest.mark.parametrize("jump", [-YEARS, YEARS])
def test_training_goes_on_while_the_clock_is_set_back_and_forth(
    warm_lab: Warm, small_data: Path, tmp_path: Path, jump: float
) -> None:
    cache = ["--cache", tmp_path / "cache"]
    start = ["train", "--data", small_data / "emotions", *SMALL, *cache, "--out"]
    assert warm_lab.run(*start, tmp_path / "through").code == 0
    folder = tmp_path / "run"
    child = warm_lab.start(*start, folder, jump=jump)
    while not (folder / "metrics.csv").exists() and child.ended is None:
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert 0 < len(Run.open(folder).metrics()) <= 12
    ended = warm_lab.run(*words_for(start, folder, cache), jump=-jump)
    assert (ended.code, ended.err) == (0, "")
    check_run(Run.open(folder), Run.open(tmp_path / "through"))
    assert steps_on_the_board(folder) == list(range(1, 13))


def steps_on_the_board(folder: Path) -> list[int]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder / "tensorboard"))
    board.Reload()
    return [event.step for event in board.Scalars("valid/accuracy")]


def test_the_bar_of_a_training_takes_any_clock(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, asked = time.time, iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: real() + YEARS * (next(asked) % 3 - 1))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run = Run.create(tmp_path / "run", settings_of({"data": str(small_data / "emotions"), "epochs": 4}))
    with watched(run, []) as on_epoch:
        for epoch in range(1, 5):
            on_epoch(EpochMetrics(epoch, 0.01, 1.0, 0.5, 1.0, epoch / 10, 1.0, 30.0))
    assert "best 0.400" in capsys.readouterr().err
    assert steps_on_the_board(run.folder) == [1, 2, 3, 4]
