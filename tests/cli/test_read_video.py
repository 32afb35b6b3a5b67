from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import av
import jsonschema
import numpy as np
import pyarrow.parquet
import pytest

from cli.test_read import run
from clips import grey_by_time, make_clip, moving_dogs, sound_only, steady
from dogmood.reading import json_schema
from dogmood.stored import rows_in


@pytest.fixture(scope="module")
def clip(bull_mastiff: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "rex.mp4", steady(2, 10), moving_dogs([bull_mastiff]))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_video_is_one_row_a_dog_a_sample(capsys, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    code, printed, err = run(capsys, "read", clip, "--out", out)
    assert (code, err) == (0, "")
    title, dog, *_ = printed.splitlines()
    assert title == f"{clip}  256 x 256  10 frames  1 dog"
    assert dog.startswith("  dog 1  0:00 to 0:01.8  ")
    assert "1 video; 10 frames: 10 with a dog, 0 without." in printed
    rows = rows_of(out)
    assert [float(row["time"]) for row in rows] == pytest.approx([i / 5 for i in range(10)])
    assert {(row["source"], row["track"]) for row in rows} == {(str(clip), "1")}
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv"}


def test_json_lines_follow_the_schema(capsys, clip: Path) -> None:
    code, out, _ = run(capsys, "read", "--json", "--fps", 2, clip)
    assert code == 0
    frames = [json.loads(line) for line in out.splitlines()]
    assert [frame["time"] for frame in frames] == [0.0, 0.5, 1.0, 1.5]
    for frame in frames:
        jsonschema.validate(frame, json_schema())
        assert [dog["track"] for dog in frame["dogs"]] == [1]


def test_photos_and_videos_of_a_folder_are_read_in_turn(
    capsys, clip: Path, bull_mastiff: Path, cottage: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name, source in (("a.jpg", bull_mastiff), ("b.mp4", clip), ("c.jpg", cottage)):
        (tmp_path / "in" / name).write_bytes(source.read_bytes())
    (tmp_path / "in/d.mov").write_text("no video")
    code, out, err = run(capsys, "read", "--json", "--fps", 1, "--out", tmp_path / "out.parquet", tmp_path / "in")
    assert code == 0
    assert [(Path(r["source"]).name, r["status"]) for r in map(json.loads, out.splitlines())] == [
        ("a.jpg", "read"),
        ("b.mp4", "read"),
        ("b.mp4", "read"),
        ("c.jpg", "no_dog"),
        ("d.mov", "unreadable"),
    ]
    assert len(err.splitlines()) == 1
    rows = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["time"], row["track"]) for row in rows] == [
        (None, None),
        (0.0, 1),
        (1.0, 1),
        (None, None),
        (None, None),
    ]


def test_annotated_video_and_timelines_are_saved(capsys, clip: Path, tmp_path: Path) -> None:
    code, out, _ = run(capsys, "read", "--annotate", "--timeline", "--explain", "--pictures", tmp_path / "p", clip)
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["rex.mp4.dog1.svg", "rex.mp4.webm"]
    assert all(f"saved {path}" in out for path in (tmp_path / "p").iterdir())
    ElementTree.parse(tmp_path / "p/rex.mp4.dog1.svg")
    with av.open(str(tmp_path / "p/rex.mp4.webm")) as video, av.open(str(clip)) as original:
        drawn = list(video.decode(video=0))
        plain = next(iter(original.decode(video=0)))
        assert [frame.time for frame in drawn] == pytest.approx([i / 5 for i in range(10)], abs=2e-3)
        difference = drawn[0].to_ndarray(format="rgb24").astype(int) - plain.to_ndarray(format="rgb24")
        assert np.abs(difference).max() > 60  # a box, a label, a map


def test_broken_and_foreign_videos_are_one_sentence_each(capsys, clip: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("woof")
    out = tmp_path / "out.jsonl"
    sound = sound_only(tmp_path / "sound.mp4")
    code, printed, err = run(capsys, "read", "--fps", 1, text, sound, clip, "--out", out)
    assert code == 0
    assert [line.split()[0] for line in err.splitlines()] == [str(text), str(sound)]
    assert "3 videos, 2 unreadable; 2 frames" in printed
    assert [json.loads(line)["status"] for line in out.read_text().splitlines()] == ["unreadable"] * 2 + ["read"] * 2
    assert run(capsys, "read", "--quiet", text)[:2] == (1, "")


@pytest.mark.parametrize("name", [b"v\xff.mp4", b"v\x01\x1b.mp4"])
def test_plots_of_oddly_named_videos_are_drawn(capsys, clip: Path, tmp_path: Path, name: bytes) -> None:
    odd = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))  # noqa: PTH118
    try:
        shutil.copy(clip, odd)
    except OSError:
        pytest.skip("this file system takes no such names")
    assert run(capsys, "read", "--quiet", "--timeline", "--pictures", tmp_path / "p", odd)[0] == 0
    (plot,) = (tmp_path / "p").glob("*.svg")
    ElementTree.parse(plot)


@pytest.mark.parametrize("words", [["--fps", "0"], ["--fps", "-3"], ["--smooth", "-1"]])
def test_wrong_rates_are_one_sentence(capsys, clip: Path, words: list[str]) -> None:
    for what in (clip, clip.parent):  # told before anything is read
        code, out, err = run(capsys, "read", *words, what, "--out", clip.parent / "o.csv")
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert not (clip.parent / "o.csv").exists()


def test_without_pyav_a_video_is_one_row_and_photos_are_read(
    capsys, clip: Path, bull_mastiff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    code, out, err = run(capsys, "read", "--json", clip, bull_mastiff)
    assert code == 0
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["unreadable", "read"]
    assert "pip install 'dogmood[video]'" in err
    code, _, err = run(capsys, "read", "--annotate", "--pictures", tmp_path, "--out", tmp_path / "o.csv", clip)
    assert (code, len(err.splitlines())) == (1, 1)
    assert "pip install 'dogmood[video]'" in err


@pytest.mark.parametrize("ending", ["json", "parquet", "jsonl"])
def test_a_video_that_was_stopped_waits_while_other_runs_come_between(
    capsys, bull_mastiff: Path, tmp_path: Path, ending: str
) -> None:
    clip = make_clip(tmp_path / "grey.mp4", steady(20, 10), grey_by_time())
    out = tmp_path / f"out.{ending}"
    command = [sys.executable, "-m", "dogmood", "read", "--json", str(clip), "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        for _ in range(5):
            running.stdout.readline()
        running.send_signal(signal.SIGINT)
    for words in ([bull_mastiff], [clip, bull_mastiff]):
        assert run(capsys, "read", "--quiet", "--resume", "--out", out, *words)[0] == 0
    times = [row["time"] for row in rows_in(out) if row["source"] == str(clip)]
    assert times == pytest.approx([i / 5 for i in range(100)])


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_killed_at_any_moment_a_video_goes_on_as_if_it_had_not_been(
    capsys, bull_mastiff: Path, tmp_path: Path, ending: str
) -> None:
    clip = make_clip(tmp_path / "rex.mp4", steady(4, 10), moving_dogs([bull_mastiff]))
    other = make_clip(tmp_path / "grey.mp4", steady(1, 10), grey_by_time())
    words = ["read", "--json", "--resume", "--fps", "7", str(other), str(clip), "--out"]
    command = [sys.executable, "-m", "dogmood", *words, str(tmp_path / f"out.{ending}")]
    random = np.random.default_rng(len(ending))
    for signal_sent in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            assert running.stdout is not None
            for _ in range(int(random.integers(3, 18))):
                running.stdout.readline()
            running.send_signal(signal_sent)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert run(capsys, *words, tmp_path / f"whole.{ending}")[0] == 0
    one, two = tmp_path / f"out.{ending}", tmp_path / f"whole.{ending}"
    if ending == "parquet":
        assert pyarrow.parquet.read_table(one).equals(pyarrow.parquet.read_table(two))
    else:
        assert one.read_text() == two.read_text()
    assert len(list(tmp_path.iterdir())) == 4
