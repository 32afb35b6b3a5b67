"""What is let in of videos: containers, codecs, sizes, and no word about other files."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clips import grey_by_time, make_clip, steady, still
from dogmood import DogMood
from dogmood import video_file as limits
from dogmood.errors import VideoError
from dogmood.video import Video
from mutations import damaged
from pictures import corners

LONG = 20 if "DOGMOOD_LONG" in os.environ else 1


def sampled(path: Path) -> list[tuple[int, int]]:
    with Video(path) as video:
        return [(frame.width, frame.height) for frame in video.samples(5)]


def test_every_codec_that_is_let_in_has_a_name_that_ffmpeg_may_know() -> None:
    known = av.codecs_available
    assert {"h264", "hevc", "vp9", "mpeg4", "mjpeg"} <= set(limits.CODECS.split(",")) & known
    assert not {"hls", "concat", "dash", "sdp", "rtsp", "image2", "lavfi", "tty"} & set(limits.FORMATS.split(","))


@pytest.mark.parametrize("at_opening", [True, False])
def test_frames_of_too_many_pixels_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_opening: bool
) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(0.3, 10), still(corners(640, 480)))
    monkeypatch.setattr(limits, "MAX_FRAME_PIXELS", 640 * 480 - 1 if at_opening else 640 * 480)
    monkeypatch.setattr(limits, "_LIMITS", {} if at_opening else {"max_pixels": str(640 * 480 - 1)})
    said = "is 640 x 480: over" if at_opening else "no frame that can be decoded"
    with pytest.raises(VideoError, match=said):
        sampled(clip)


def test_more_streams_than_are_let_in_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libvpx", rate=5) for _ in range(limits.MAX_STREAMS + 8)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for stream in streams:
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    with limits.opened(path) as opened:
        assert len(opened.streams) == limits.MAX_STREAMS
    assert sampled(path) == [(32, 32)]


@pytest.mark.parametrize("aspect", ["1/1000000", "1000000", "2147483647"])
def test_pixels_of_an_impossible_shape_are_square(tmp_path: Path, aspect: str) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.sample_aspect_ratio = Fraction(aspect)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    ((width, height),) = sampled(path)
    assert 64 / limits.MAX_PIXEL_ASPECT <= width <= 64 * limits.MAX_PIXEL_ASPECT
    assert height == 48


@pytest.mark.parametrize("form", ["mp4", "mkv", "avi", "ts"])
@settings(max_examples=40 * LONG)
@given(data=st.data())
def test_damage_gives_frames_or_a_sentence(form: str, data: st.DataObject, whole: dict[str, bytes], room: Path) -> None:
    path = room / f"damaged.{form}"
    path.write_bytes(data.draw(damaged(whole[form])))
    sizes, said = [], f"{path} was read."
    try:
        sizes = sampled(path)
    except VideoError as refusal:
        said = str(refusal)
    assert said.startswith(str(path))
    assert said.endswith(".")
    assert said.isprintable()
    assert all(min(size) >= 16 and max(size) < 70_000 * limits.MAX_PIXEL_ASPECT for size in sizes)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def whole(room: Path) -> dict[str, bytes]:
    return {
        form: make_clip(room / f"whole.{form}", steady(0.5, 10), grey_by_time()).read_bytes()
        for form in ("mp4", "mkv", "avi", "ts")
    }


def test_a_frame_of_an_odd_shape_is_read_like_any_other(tmp_path: Path, dogmood: DogMood) -> None:
    clip = make_clip(tmp_path / "a.mkv", [0.0], still(corners(1024, 16)), codec="libvpx")
    with Video(clip) as video:
        (frame,) = video.samples(5)
        assert dogmood.read(frame.pixels).status in ("read", "no_dog")
