"""Videos that tests make: good ones of every kind, and bad ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = Callable[[float], NDArray[np.uint8]]
_BASE = Fraction(1, 1000)


def make_clip(
    path: Path,
    times: Sequence[float],
    picture: Picture,
    rotation: int | None = None,
    codec: str = "mpeg4",
    keyframes: int = 12,
    rate: int = 30,
    sound: float = 0.0,
) -> Path:
    """Write a video whose frames are shown at given times, in seconds, with so many seconds of silence."""
    height, width = picture(times[0]).shape[:2]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # MPEG-2 counts in frames.
        base = Fraction(1, rate) if codec == "mpeg2video" else _BASE
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.gop_size = keyframes
        stream.bit_rate = 8_000_000
        if rotation is not None:
            stream.set_display_rotation(rotation)
        silence = container.add_stream("pcm_s16le", rate=8000) if sound else None
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture(time), format="rgb24")
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if silence is not None:
            quiet = av.AudioFrame.from_ndarray(np.zeros((1, round(8000 * sound)), np.int16), layout="mono")
            quiet.sample_rate = 8000
            container.mux(silence.encode(quiet))
            container.mux(silence.encode())
    return path


def steady(seconds: float, rate: float = 30) -> list[float]:
    return [i / rate for i in range(round(seconds * rate))]


def grey_by_time(size: tuple[int, int] = (64, 48)) -> Picture:
    """A picture whose grey says when it is shown: 10 + 40 a second."""
    return lambda time: np.full((size[1], size[0], 3), min(10 + round(40 * time), 255), np.uint8)


def still(image: Image.Image) -> Picture:
    pixels = np.asarray(image)
    return lambda time: pixels


def moving_dogs(photos: Sequence[Path], side: int = 256) -> Picture:
    """Dogs, each in its own lane, that sway slowly from side to side."""
    dogs = []
    for photo in photos:
        with Image.open(photo) as image:
            dogs.append(image.convert("RGB").resize((side, side)))

    def picture(time: float) -> NDArray[np.uint8]:
        sheet = Image.new("RGB", (side * len(dogs), side), "#7a8a7a")
        for lane, dog in enumerate(dogs):
            sheet.paste(dog, (side * lane + round(10 * np.sin(2 * time)), 0))
        return np.asarray(sheet)

    return picture


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for i in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, 1024 * i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def no_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return path


def damaged(path: Path, source: Path, share: float = 0.01) -> Path:
    """Copy a clip with some bytes of its pictures changed."""
    content = bytearray(source.read_bytes())
    random = np.random.default_rng(0)
    first, last = len(content) // 10, len(content) * 8 // 10
    for at in random.integers(first, last, round(len(content) * share)):
        content[at] = random.integers(256)
    path.write_bytes(content)
    return path
