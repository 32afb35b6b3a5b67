"""What an MP4's header promises is held against the file before ffmpeg makes room for it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clips import grey_by_time, make_clip, steady
from dogmood import mp4_index
from dogmood.errors import VideoError
from dogmood.mp4_index import PromiseError, check_promises
from dogmood.video import Video
from mutations import damaged

CORPUS = Path(__file__).with_name("corpus")


def frames_in(path: Path) -> int:
    with Video(path) as video:
        return len(list(video.samples(5)))


def with_sound(path: Path, **options: str) -> Path:
    """A film of a second with plain sound: 48,000 samples of two bytes."""
    with av.open(str(path), "w", options=options) as container:
        pictures, sound = container.add_stream("mpeg4", rate=5), container.add_stream("pcm_s16le", rate=48_000)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound.layout = "mono"
        for i in range(5):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), format="s16", layout="mono")
            heard.sample_rate, heard.pts = 48_000, 9600 * i
            container.mux(sound.encode(heard))
        container.mux(pictures.encode())
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}, {"movflags": "frag_keyframe+empty_moov"}])
@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_film_as_programs_write_it_is_read(tmp_path: Path, ending: str, options: dict[str, str]) -> None:
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert frames_in(path) == 5


def test_plain_sound_whose_samples_are_many_and_small_is_no_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_sound(tmp_path / "a.mov")
    monkeypatch.setattr(mp4_index, "MAX_SAMPLES", 300)  # fewer than the 48,000 of its sound
    assert frames_in(path) == 5


def test_more_samples_than_are_let_in_are_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(tmp_path / "a.mp4", steady(1, 10), grey_by_time())
    monkeypatch.setattr(mp4_index, "MAX_SAMPLES", 10)
    assert frames_in(path) == 5
    monkeypatch.setattr(mp4_index, "MAX_SAMPLES", 9)
    with pytest.raises(VideoError, match=r"a\.mp4 holds over .* cut it into parts first\.$"):
        frames_in(path)


def test_a_header_of_countless_boxes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(struct.pack(">I4s", 8, b"free") * 500)
    check_promises(path)
    monkeypatch.setattr(mp4_index, "MAX_BOXES", 400)
    with pytest.raises(VideoError, match="has too many parts in its header"):
        frames_in(path)


@pytest.mark.parametrize("depth", [9, 5000])
def test_boxes_in_boxes_end_somewhere(tmp_path: Path, depth: int) -> None:
    path, content = tmp_path / "a.mp4", b""
    for _ in range(depth):
        content = struct.pack(">I4s", len(content) + 8, b"moov") + content
    path.write_bytes(content)
    check_promises(path)


@pytest.mark.parametrize("place", [b"stsd", b"meta"])
def test_a_promise_in_an_odd_place_is_found(tmp_path: Path, place: bytes) -> None:
    lie = struct.pack(">I4sIII", 20, b"stsz", 0, 1, 30_000_000)
    content = bytes(4) + struct.pack(">I4s", 12, b"hdlr") + bytes(4) + lie
    box = struct.pack(">I4s", len(content) + 8, place) + content
    path = tmp_path / "a.mp4"
    path.write_bytes(struct.pack(">I4s", len(box) + 8, b"moov") + box)
    with pytest.raises(PromiseError, match="30,000,000 pictures and sounds, more than fit into its"):
        check_promises(path)


@given(data=st.data())
def test_damage_gives_a_refusal_or_none(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.mp4"
    path.write_bytes(data.draw(damaged((CORPUS / "whole.mp4").read_bytes())))
    said = ""
    try:
        check_promises(path)
    except PromiseError as refusal:
        said = str(refusal)
    assert said.isprintable()


_PEAK = """
import sys
from pathlib import Path
import av, numpy
from dogmood.errors import VideoError
from dogmood.video import Video

def told(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))

before = told("VmRSS")
for name in sys.argv[1:]:
    try:
        with Video(Path(name)) as video:
            list(video.samples(5))
    except VideoError:
        pass
print(1024 * (told("VmHWM") - before))
"""

MOST_BYTES = 100_000_000
"""What the malformed videos, the largest of 60 kB, may cost in memory; some ten million are usual."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak this way")
def test_malformed_videos_take_little_memory() -> None:
    names = [str(path) for path in sorted(CORPUS.iterdir()) if path.suffix in (".mp4", ".mkv", ".avi", ".flv", ".mpg")]
    assert len(names) > 30
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *names], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert int(done.stdout) < MOST_BYTES
