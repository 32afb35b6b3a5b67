from __future__ import annotations

import csv
import errno
import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.errors import UsageError
from dogmood.reading import ModelInfo, Reading
from dogmood.results import open_results
from dogmood.stored import rows_in
from test_reading import MODEL, REX

ENDINGS = ("json", "jsonl", "csv", "parquet")
PAIR = replace(REX, source='two,\n"dogs".jpg', dogs=(REX.dogs[0], replace(REX.dogs[0], dog=2)))
CAT = Reading("cat.jpg", "no_dog", 10, 20, MODEL, taken="2026-05-01T10:00:00")
BAD = Reading("bad.jpg", "unreadable", 0, 0, MODEL, reason="It is, in a word,\nbroken.")
FRAMES = [replace(REX, source="clip.mp4", time=i / 5, dogs=(replace(REX.dogs[0], track=1),)) for i in range(6)]


def sources_in(path: Path) -> list[tuple[str, float | None]]:
    """Return source and time of every row."""
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    elif path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        text = path.read_text()
        read = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
        rows = [item | {"dog": dog} for item in read for dog in item["dogs"] or [None]]
    return [(row["source"], float(row["time"]) if row.get("time") not in (None, "") else None) for row in rows]


def write(path: Path, *readings: Reading, resume: bool = True) -> None:
    with open_results(path, resume) as results:
        for reading in readings:
            if not results.has(reading.source):
                results.write(reading)


def stop_after(path: Path, *readings: Reading) -> None:
    """Write some readings and stop, as Ctrl-C does."""
    with suppress(KeyboardInterrupt), open_results(path, resume=True) as results:
        for reading in readings:
            results.write(reading)
        raise KeyboardInterrupt


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_that_was_stopped_goes_on_and_leaves_one_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    stop_after(path, PAIR, BAD)
    write(path, PAIR, BAD, CAT)
    assert sources_in(path) == [(PAIR.source, None)] * 2 + [("bad.jpg", None), ("cat.jpg", None)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_finished_file_takes_what_is_new(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    write(path, PAIR, BAD)
    write(path, PAIR, BAD, CAT)
    assert sources_in(path) == [(PAIR.source, None)] * 2 + [("bad.jpg", None), ("cat.jpg", None)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_without_resume_nothing_is_overwritten(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    write(path, PAIR)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already: add --resume"):
        write(path, CAT, resume=False)
    assert path.read_bytes() == before
    path.unlink()
    stop_after(path, CAT)
    with pytest.raises(UsageError, match="exists already: add --resume"):
        write(path, CAT, resume=False)


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_cut_anywhere_no_row_is_lost_or_twice(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / f"out.{ending}"
    readings = (CAT, PAIR, BAD, REX)
    write(path, *readings)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    write(path, *readings)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_a_journal_that_was_used_up_is_not_used_twice(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    stop_after(path, CAT)
    journal = next(tmp_path.glob("out.*.journal.jsonl"))
    copy = journal.read_bytes()
    write(path, REX)
    journal.write_bytes(copy)  # as if killed between making the file and removing the journal
    write(path, CAT, REX, BAD)
    assert [source for source, _ in sources_in(path)] == ["cat.jpg", "rex.jpg", "bad.jpg"]


NOW = replace(REX, source="bad.jpg")


def again(path: Path | str, *readings: Reading) -> None:
    """Go on as a run does that is asked for these."""
    with open_results(path, resume=True) as results:
        results.retry(reading.source for reading in readings)
        for reading in readings:
            if not results.has(reading.source):
                results.write(reading)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_could_not_be_read_is_tried_again(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    write(path, PAIR, BAD, CAT)
    again(path, PAIR, BAD, CAT)  # still broken
    assert sources_in(path) == [(PAIR.source, None)] * 2 + [("cat.jpg", None), ("bad.jpg", None)]
    again(path, PAIR, CAT)  # others are asked for
    assert [row["status"] for row in rows_in(path)].count("unreadable") == 1
    again(path, NOW, PAIR, CAT)
    assert [(row["source"], row["status"]) for row in rows_in(path)] == [
        (PAIR.source, "read"), (PAIR.source, "read"), ("cat.jpg", "no_dog"), ("bad.jpg", "read")
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stopped_run_tries_again_what_it_could_not_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    stop_after(path, BAD, PAIR)
    again(path, NOW, PAIR, CAT)
    assert sources_in(path) == [(PAIR.source, None)] * 2 + [("bad.jpg", None), ("cat.jpg", None)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ["json", "parquet"])
@pytest.mark.parametrize("reading", [BAD, NOW])
def test_a_run_stopped_as_it_tries_again_goes_on(tmp_path: Path, ending: str, reading: Reading) -> None:
    path = tmp_path / f"out.{ending}"
    write(path, BAD, PAIR)
    with suppress(KeyboardInterrupt), open_results(path, resume=True) as results:
        results.retry(["bad.jpg"])
        results.write(reading)
        raise KeyboardInterrupt
    assert sources_in(path) == [("bad.jpg", None)] + [(PAIR.source, None)] * 2
    journal = next(tmp_path.glob("*.journal.jsonl"))
    copy = journal.read_bytes()
    again(path, NOW, PAIR, CAT)
    assert sorted(sources_in(path)) == sorted([(PAIR.source, None)] * 2 + [("bad.jpg", None), ("cat.jpg", None)])
    journal.write_bytes(copy)  # as if killed before the journal was removed
    again(path, NOW, PAIR, CAT, REX)
    assert [(row["source"], row["status"]) for row in rows_in(path)].count(("bad.jpg", "read")) == 1
    assert "unreadable" not in [row["status"] for row in rows_in(path)]


def test_a_video_that_was_read_in_part_is_not_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    cut = replace(BAD, source="clip.mp4", time=0.6)
    write(path, CAT, resume=False)
    with open_results(path, resume=True) as results:
        for reading in (*FRAMES[:3], cut):
            results.write(reading)
    before = path.read_bytes()
    with open_results(path, resume=True) as results:
        results.retry(["clip.mp4"])
        assert results.has("clip.mp4")
    assert path.read_bytes() == before


def test_a_private_file_behind_a_link_stays_both(tmp_path: Path) -> None:
    path, link = tmp_path / "private.jsonl", tmp_path / "out.jsonl"
    path.touch(0o600)
    link.symlink_to(path)
    write(link, BAD)
    again(link, NOW)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [row["status"] for row in rows_in(path)] == ["read"]


def test_while_it_is_written_anew_no_other_run_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, BAD, CAT)
    with open_results(path, resume=True) as results:
        results.retry(["bad.jpg"])
        with pytest.raises(UsageError, match="another run"), open_results(path, resume=True):
            pass
        results.write(NOW)
    assert sources_in(path) == [("cat.jpg", None), ("bad.jpg", None)]


def stop_in_a_clip(out: Path | str, lost: int) -> None:
    """Write a photo and three frames whose place is kept, and some more that will be lost; then stop."""
    with suppress(KeyboardInterrupt), open_results(out) as results:
        results.write(CAT)
        assert results.video_state("clip.mp4") is None
        results.keep_place("clip.mp4", None)
        for i in range(3 + lost):
            results.write(FRAMES[i])
            if i < 3:
                results.keep_place("clip.mp4", {"next": i + 1})
        raise KeyboardInterrupt


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_video_goes_on_from_its_last_place(tmp_path: Path, ending: str, lost: int) -> None:
    path = tmp_path / f"out.{ending}"
    stop_in_a_clip(path, lost)
    with open_results(path, resume=True) as results:
        assert results.has("cat.jpg")
        assert not results.has("clip.mp4")
        assert results.video_state("clip.mp4") == {"next": 3}
        for frame in FRAMES[3:]:
            results.write(frame)
        results.end_video("clip.mp4")
        assert not list(tmp_path.glob("*.mark.json"))
    assert sources_in(path) == [("cat.jpg", None), *(("clip.mp4", frame.time) for frame in FRAMES)]
    with open_results(path, resume=True) as results:
        assert results.has("clip.mp4")


@pytest.mark.parametrize("ending", ["jsonl", "csv", "json"])
def test_what_is_written_after_a_video_was_stopped_stays(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    with suppress(KeyboardInterrupt), open_results(path) as results:
        results.keep_place("clip.mp4", None)
        results.write(FRAMES[0])
        results.keep_place("clip.mp4", {"next": 1})
        raise KeyboardInterrupt
    stop_after(path, CAT)  # killed again, before the video's turn came
    with open_results(path, resume=True) as results:
        assert results.has("cat.jpg")
        assert results.video_state("clip.mp4") == {"next": 1}
        results.keep_place("clip.mp4", {"next": 1})
        results.write(FRAMES[1])
        results.end_video("clip.mp4")
    assert sources_in(path) == [("clip.mp4", 0.0), ("cat.jpg", None), ("clip.mp4", 0.2)]


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill(path: Path) -> None:
        with open_results(path) as results:
            results.write(REX)
            monkeypatch.setattr(os, "fsync", full)
            results.keep_place("clip.mp4", None)

    path = tmp_path / "out.jsonl"
    with pytest.raises(UsageError, match="No space left on device; what it holds is kept"):
        fill(path)
    monkeypatch.undo()
    write(path, REX, CAT)
    assert [source for source, _ in sources_in(path)] == ["rex.jpg", "cat.jpg"]


def test_a_second_run_on_the_same_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_results(path), pytest.raises(UsageError, match="another run"), open_results(path, resume=True):
        pass


def test_another_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, REX)
    with open_results(path, resume=True) as results:
        results.check_model(MODEL)
        with pytest.raises(UsageError, match=r"begun with the model base 1\.2\.0"):
            results.check_model(ModelInfo("fast", "1.0.0", "0" * 64))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "content", [b"once upon a time\n", b'{"a": 1}\n', b"[1]\n", b"a,b\n1,2\n", b"\xff\xfe\n", b"hello"]
)
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="name another file"):
        write(path, REX)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_mark_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, REX)
    (tmp_path / "out.csv.mark.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        write(path, CAT)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failure_before_the_first_reading_leaves_nothing(tmp_path: Path, ending: str) -> None:
    with pytest.raises(UsageError, match="no"), open_results(tmp_path / f"out.{ending}"):
        raise UsageError("no")
    assert not list(tmp_path.iterdir())
