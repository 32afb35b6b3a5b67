"""What stands in folders beside photos: pipes, sockets, devices, loops, names of all kinds."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from dogmood.errors import PhotoError
from dogmood.folder import photos_of
from dogmood.photo import open_photo
from faults.warm import Warm

PNG = "1.png"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_pipes_sockets_devices_and_loops_do_not_stop_a_folder(
    warm: Warm, toy: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("a.jpg")
    os.mkfifo("b.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("c.png")
        Path("d.png").symlink_to("/dev/zero")
        Path("e.jpg").symlink_to("e.jpg")
        Path("f").symlink_to(".")
        Path("g.jpg").mkdir()
        Path("h.mp4").symlink_to("nowhere.mp4")
        Path("z.png").write_bytes((footage / PNG).read_bytes())
        ended = warm.run("read", "--json", "--model", toy, tmp_path)
    assert ended.code == 0
    told = {Path(item["source"]).name: item for item in map(json.loads, ended.out.splitlines())}
    assert told.pop("z.png")["status"] == "read"
    said = {name: item["reason"].removeprefix(str(tmp_path / name)) for name, item in told.items()}
    assert said == {
        "a.jpg": " is a pipe, not a photo.",
        "b.mp4": " is a pipe, not a video.",
        "c.png": " is a socket, not a photo.",
        "d.png": " is a device, not a photo.",
        "e.jpg": " cannot be opened: Too many levels of symbolic links.",
        "h.mp4": " does not exist.",
    }


def test_a_pipe_that_was_handed_over_is_read(footage: Path) -> None:
    if not Path("/dev/fd").exists():
        pytest.skip("there is no /dev/fd here")
    ours, theirs = os.pipe()
    os.write(theirs, (footage / PNG).read_bytes())
    os.close(theirs)
    try:
        assert open_photo(f"/dev/fd/{ours}").width == 48
    finally:
        os.close(ours)


def test_photos_that_change_or_vanish_after_they_were_listed(footage: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes((footage / PNG).read_bytes())
    listed = photos_of([tmp_path])
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "c.png").unlink()
    (tmp_path / "c.png").mkdir()
    for item, words in zip(listed, ("does not exist", "is empty", "is a folder"), strict=True):
        with pytest.raises(PhotoError, match=words):
            open_photo(item.path)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
@pytest.mark.parametrize("ending", ["jsonl", "csv", "json", "parquet"])
def test_names_that_are_no_utf_8_stay_apart(warm: Warm, toy: Path, footage: Path, tmp_path: Path, ending: str) -> None:
    from faults.test_kills import rows_in

    folder, out = tmp_path / "in", tmp_path / f"out.{ending}"
    folder.mkdir()
    words = ["read", "--model", toy, folder, "--json", "--out", out, "--resume", "--explain", "--pictures"]
    for i, name in enumerate((b"a\xff.png", b"a\xfe.png")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes((footage / PNG).read_bytes())
        ended = warm.run(*words, tmp_path / "drawn")
        assert (ended.code, len(rows_in(out))) == (0, i + 1), ended.err
    assert len({source for source, _ in rows_in(out)}) == 2
    assert len(list((tmp_path / "drawn").iterdir())) == 2


@pytest.mark.parametrize("length", [236, 246, 251, 252, 255])
def test_a_long_name_costs_its_drawing_at_most(
    warm: Warm, toy: Path, footage: Path, tmp_path: Path, length: int
) -> None:
    (tmp_path / "in").mkdir()
    long = "ä" * ((length - 4) // 2) + "x" * (length % 2) + ".png"
    assert len(os.fsencode(long)) == length
    for name in (long, "rex.png"):
        (tmp_path / "in" / name).write_bytes((footage / PNG).read_bytes())
    drawn = tmp_path / "drawn"
    ended = warm.run("read", "--json", "--model", toy, "--explain", "--pictures", drawn, tmp_path / "in")
    assert ended.code == 0
    assert [json.loads(line)["status"] for line in ended.out.splitlines()] == ["read", "read"]
    fits = length + len(".png") <= 255
    assert {path.name for path in drawn.iterdir()} == {"rex.png.png", *([f"{long}.png"] if fits else [])}
    assert ("Its drawing is left out" in ended.err) != fits
