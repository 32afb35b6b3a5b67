from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clips import damaged, grey_by_time, make_clip, no_frames, sound_only, steady, still
from dogmood.errors import VideoError
from dogmood.photo import ENOUGH_SIDE
from dogmood.video import Frame, Video
from pictures import corners

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def frames_of(path: Path, fps: float = 5, **options: float) -> list[Frame]:
    with Video(path) as video:
        return list(video.samples(fps, **options))


def test_frames_are_taken_at_even_times(tmp_path: Path) -> None:
    frames = frames_of(make_clip(tmp_path / "a.mp4", steady(2), grey_by_time()))
    assert [frame.time for frame in frames] == pytest.approx([i / 5 for i in range(10)], abs=0.035)
    for frame in frames:
        assert frame.pixels.mean() == pytest.approx(10 + 40 * frame.time, abs=3)
        assert (frame.width, frame.height) == (64, 48)


def test_a_variable_frame_rate_is_sampled_by_time(tmp_path: Path) -> None:
    times = [0, 0.1, 0.11, 0.12, 0.13, 0.55, 1.5, 1.52, 3.0, 3.01]
    frames = frames_of(make_clip(tmp_path / "a.mkv", times, grey_by_time(), codec="libvpx"))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.55, 1.5, 3.0], abs=2e-3)
    assert [frame.pixels.mean() for frame in frames] == pytest.approx([10, 32, 70, 130], abs=3)


@given(
    steps=st.lists(st.integers(5, 900), min_size=1, max_size=12),
    fps=st.sampled_from([0.5, 1, 3, 5, 12.5, 30, 100]),
)
@settings(max_examples=25, deadline=None)
def test_each_step_has_its_first_frame(tmp_path_factory: pytest.TempPathFactory, steps: list[int], fps: float) -> None:
    times = [0.0, *(t / 1000 for t in np.cumsum(steps).tolist())]
    path = make_clip(tmp_path_factory.mktemp("vfr") / "a.mkv", times, grey_by_time(), codec="libvpx")
    by_step: dict[int, float] = {}
    for time in times:
        by_step.setdefault(int(np.floor((time + 1e-3) * fps + 1e-6)), time)
    assert [frame.time for frame in frames_of(path, fps)] == pytest.approx(list(by_step.values()), abs=1e-3)


@pytest.mark.parametrize(
    ("rotation", "seen"),
    [
        (None, [RED, GREEN, BLUE, WHITE]),
        (90, [GREEN, WHITE, RED, BLUE]),  # counterclockwise
        (180, [WHITE, BLUE, GREEN, RED]),
        (270, [BLUE, RED, WHITE, GREEN]),
    ],
)
def test_rotation_is_applied(tmp_path: Path, rotation: int | None, seen: list[tuple[int, int, int]]) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(0.2), still(corners(96, 64)), rotation)
    frame = frames_of(clip)[0]
    turned = rotation in (90, 270)
    assert (frame.width, frame.height) == ((64, 96) if turned else (96, 64))
    assert frame.pixels.shape == (frame.height, frame.width, 3)
    found = [frame.pixels[y, x] for y in (8, -8) for x in (8, -8)]
    for pixel, colour in zip(found, seen, strict=True):
        assert np.abs(pixel.astype(int) - colour).max() < 40


@pytest.mark.parametrize("rate", [24, 30, 60])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_at_its_own_rate_every_frame_is_taken_once(tmp_path: Path, rate: int, name: str) -> None:
    clip = make_clip(tmp_path / name, steady(2, rate), grey_by_time())
    assert len(frames_of(clip, rate)) == 2 * rate
    assert len(frames_of(clip, 1000)) == 2 * rate


def test_a_mirrored_video_is_turned_back(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(0.2), still(corners(96, 64)))
    content = bytearray(clip.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    assert content[matrix : matrix + 4] == b"\0\1\0\0"
    content[matrix : matrix + 4] = (-65536).to_bytes(4, "big", signed=True)
    clip.write_bytes(content)
    pixels = frames_of(clip)[0].pixels
    assert np.abs(pixels[8, 8].astype(int) - GREEN).max() < 40


def test_large_frames_are_shrunk_and_say_their_full_size(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", [0.0], still(corners(2 * ENOUGH_SIDE, 64)))
    (frame,) = frames_of(clip)
    assert (frame.width, frame.height) == (2 * ENOUGH_SIDE, 64)
    assert frame.pixels.shape == (32, ENOUGH_SIDE, 3)


def test_going_on_after_a_sample_gives_the_rest(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(3), grey_by_time())
    whole = frames_of(clip)
    for at in (0, 4, 13):
        rest = frames_of(clip, after=whole[at].index, seek=whole[at].time)
        assert [frame.time for frame in rest] == [frame.time for frame in whole[at + 1 :]]
    assert frames_of(clip, after=whole[-1].index, seek=whole[-1].time) == []


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "mpeg2video"), ("a.mpg", "mpeg2video"), ("a.m2ts", "mpeg4")])
def test_streams_that_know_no_places_go_on_without_a_gap(tmp_path: Path, name: str, codec: str) -> None:
    clip = make_clip(tmp_path / name, steady(20, 25), grey_by_time(), codec=codec, keyframes=50, rate=25)
    whole = frames_of(clip)
    assert len(whole) == 100
    for at in (0, 7, 30, 61, 98):
        rest = frames_of(clip, after=whole[at].index, seek=whole[at].time)
        assert [frame.time for frame in rest] == [frame.time for frame in whole[at + 1 :]]


def test_sound_that_goes_on_and_a_late_start_are_no_damage(tmp_path: Path) -> None:
    for name, begins, sound in (("sound.mkv", 0.0, 6.0), ("late.mkv", 20.0, 0.0)):
        clip = make_clip(tmp_path / name, [begins + time for time in steady(2)], grey_by_time(), sound=sound)
        with Video(clip) as video:
            assert len(list(video.samples(5))) == 10
            assert video.problem is None


def test_broken_frames_are_counted_and_left_out(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    clip = make_clip(tmp_path / "a.mp4", steady(2), lambda time: np.roll(noise, round(60 * time), axis=1))
    bad = damaged(tmp_path / "b.mp4", clip, 0.002)
    with Video(bad) as video:
        times = [frame.time for frame in video.samples(30)]
        assert video.broken > 0
        assert 0 < len(times) <= 60 - video.broken + 5
        assert times == sorted(times)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_a_video_cut_short_is_read_to_where_it_ends(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    clip = make_clip(tmp_path / name, steady(4), lambda time: np.roll(noise, round(30 * time), axis=1))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with Video(clip) as video:
        frames = list(video.samples(5))
        assert 1.0 < frames[-1].time < 3.5
        if name in ("a.mp4", "a.mkv"):  # the others do not say how long they should be
            assert video.problem is not None
            assert "is cut short or damaged: it says 4.0 s and ends after" in video.problem


def test_a_whole_video_has_no_problem(tmp_path: Path) -> None:
    with Video(make_clip(tmp_path / "a.mp4", steady(3), grey_by_time())) as video:
        list(video.samples(1))
        assert (video.problem, video.broken) == (None, 0)
        assert video.duration == pytest.approx(3, abs=0.1)


def bad_videos(folder: Path) -> dict[str, tuple[Path, str]]:
    good = make_clip(folder / "good.mp4", steady(1), grey_by_time())
    text, empty, cut = folder / "text.mp4", folder / "empty.mp4", folder / "cut.mp4"
    text.write_text("once upon a time there was a dog\n" * 20)
    empty.touch()
    cut.write_bytes(good.read_bytes()[:600])
    playlist = folder / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    pieces = folder / "pieces.mp4"
    pieces.write_text(f"ffconcat version 1.0\nfile '{good.name}'\n")
    return {
        "text": (text, "is not a video that can be read"),
        "empty": (empty, "is empty"),
        "cut": (cut, "or it is cut short"),
        "playlist": (playlist, "is not a video that can be read"),
        "pieces": (pieces, "is not a video that can be read"),
        "sound": (sound_only(folder / "sound.mp4"), "no moving pictures"),
        "no frames": (no_frames(folder / "nothing.avi"), "no "),
        "missing": (folder / "missing.mp4", "does not exist"),
        "folder": (folder, "is a folder, not a video"),
        "tiny": (make_clip(folder / "tiny.mkv", [0.0], grey_by_time((8, 8)), codec="ffv1"), "too small"),
    }


@pytest.mark.parametrize(
    "name",
    ["text", "empty", "cut", "playlist", "pieces", "sound", "no frames", "missing", "folder", "tiny"],
)
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    path, sentence = bad_videos(tmp_path)[name]
    with pytest.raises(VideoError, match=sentence) as refused:
        frames_of(path)
    assert str(path) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(0.2), grey_by_time())
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(VideoError, match=r"pip install 'dogmood\[video\]'"):
        Video(clip)


@pytest.mark.parametrize("name", ["http:rex.mp4", "a #1?%20.mp4", os.fsdecode(b"caf\xe9.mp4")])
def test_odd_names_are_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(Path("good.mp4"), steady(0.2), grey_by_time()).rename(name)
    assert len(frames_of(Path(name))) == 1
