from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from clips import make_clip, steady, still
from dogmood import DogMood
from dogmood.cluster.places import Folder
from dogmood.cluster.shard_work import ShardWork
from dogmood.cluster.shards import Attempt, Shard
from dogmood.errors import UsageError
from dogmood.summary import Summary
from pictures import corners, encoded


@pytest.fixture(scope="module")
def fast() -> DogMood:
    return DogMood("fast", threads=1)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(4):
        (folder / f"{i}.png").write_bytes(encoded(corners(60 + i), "PNG"))
    (folder / "2.png").write_bytes(b"woof")
    return sorted(folder.iterdir())


def write(work: ShardWork, tmp_path: Path, sources: list[str]) -> tuple[pa.Table, Summary, list[str]]:
    summary, reasons = Summary(), list[str]()
    shard = Shard(0, tuple(sources))
    work.write(shard, Folder(str(tmp_path / "out")), summary, reasons)
    assert list((tmp_path / "out" / "_begun").iterdir()) == []
    return pyarrow.parquet.read_table(tmp_path / "out" / shard.file), summary, reasons


@pytest.mark.parametrize("as_address", [False, True], ids=["path", "address"])
def test_a_shard_holds_what_reading_gives_failures_too(
    fast: DogMood, photos: list[Path], tmp_path: Path, as_address: bool
) -> None:
    places = [photo.parent.as_uri() if as_address else str(photo.parent) for photo in photos[:1]]
    sources = [f"{places[0]}/{name}" for name in [*(photo.name for photo in photos), "gone.png"]]
    table, summary, reasons = write(ShardWork(fast, places, 2, 5, 1), tmp_path, sources)
    rows = table.to_pylist()
    assert [row["source"] for row in rows] == sources
    assert [row["status"] for row in rows] == ["no_dog", "no_dog", "unreadable", "no_dog", "unreadable"]
    assert rows[4]["reason"] == f"{sources[4]} does not exist."
    assert reasons == [row["reason"] for row in rows if row["reason"]]
    assert (summary.readable, summary.tally()["_photos"]) == (3, {"no_dog": 3, "unreadable": 2})
    assert [row["width"] for row in rows[:2]] == [60, 61]


def test_a_photo_on_which_reading_fails_is_one_row(
    fast: DogMood, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DogMood.read_photo

    def failing(self: DogMood, photo, explain: bool = False):
        if photo.width == 61:
            raise RuntimeError("no such operator")
        return real(self, photo, explain)

    monkeypatch.setattr(DogMood, "read_photo", failing)
    table, _, _ = write(ShardWork(fast, (), 2, 5, 1), tmp_path, [str(photo) for photo in photos])
    assert [row["status"] for row in table.to_pylist()] == ["no_dog", "unreadable", "unreadable", "no_dog"]
    assert table["reason"][1].as_py() == f"{photos[1]} cannot be read: no such operator."


DEADLY = """
import os, sys
from dogmood import DogMood
from dogmood.cluster.places import Folder
from dogmood.cluster.shard_work import ShardWork
from dogmood.cluster.shards import Shard
from dogmood.summary import Summary

real = DogMood.read_photo
def deadly(self, photo, explain=False):
    if photo.width == 61:
        os._exit(9)
    return real(self, photo, explain)

DogMood.read_photo = deadly
work = ShardWork(DogMood("fast", threads=1), (), 2, 5, 1)
work.write(Shard(0, tuple(sys.argv[2:])), Folder(sys.argv[1]), Summary(), [])
"""


def test_a_photo_that_ends_its_worker_each_time_is_left_out_in_the_end(photos: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEADLY, str(tmp_path / "out"), *map(str, photos)]
    assert [subprocess.run(command, check=False).returncode for _ in range(5)] == [9, 9, 9, 9, 0]
    rows = pyarrow.parquet.read_table(tmp_path / "out" / "readings-000000.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["no_dog", "unreadable", "unreadable", "no_dog"]
    assert rows[1]["reason"] == f"{photos[1]} cannot be read: each attempt ended its worker."


def test_storage_that_is_barred_stops_the_work_rather_than_failing_every_photo(
    fast: DogMood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barred(self: object, source: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dogmood.cluster.places.Sources.fetch", barred)
    work = ShardWork(fast, ["file:///in"], 2, 5, 1)
    with pytest.raises(UsageError, match=r"None of 2 photos can be fetched: file:///in/a.jpg .* Permission denied"):
        write(work, tmp_path, ["file:///in/a.jpg", "file:///in/b.jpg"])
    assert not (tmp_path / "out" / "readings-000000.parquet").exists()
    assert Attempt(Folder(str(tmp_path / "out")), Shard(0, ())).number == 2


@pytest.mark.parametrize("as_address", [False, True], ids=["path", "address"])
def test_a_video_is_a_row_a_frame_and_a_bad_one_a_reason(fast: DogMood, tmp_path: Path, as_address: bool) -> None:
    clip = make_clip(tmp_path / "clip.mp4", steady(1.0), still(corners(64, 48)))
    (tmp_path / "bad.mp4").write_bytes(b"woof")
    named = [path.as_uri() if as_address else str(path) for path in (clip, tmp_path / "bad.mp4")]
    work = ShardWork(fast, [tmp_path.as_uri()], 2, 2, 1)
    table, summary, _ = write(work, tmp_path, named[:1])
    assert table["source"].to_pylist() == [named[0]] * 2
    assert table["time"].to_pylist() == [0.0, 0.5]
    assert summary.tally()["_videos"] == {"readable": 1}
    table, summary, reasons = write(work, tmp_path, named[1:])
    assert table["status"].to_pylist() == ["unreadable"]
    assert reasons[0].startswith(named[1])
    assert summary.tally()["_videos"] == {"unreadable": 1}
    assert summary.tally()["_photos"] == {}
