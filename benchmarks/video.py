"""A video: frames read a second against decoding alone and reading alone, and peak memory.

In each round the same clip is gone through three ways: decoded and sampled only; its
sampled frames, ready in memory, read, tracked and smoothed only; and both together, as
`dogmood read` does.  The ratio is the frames per second of both together over those of
the slower part alone.  Peak memory is that of `dogmood read` as a process of its own, on
the clip and on one that is so many times as long.

Without --clip, a clip is made of photos: a slow pan over each, H.264 where the encoder
is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from common import DOGMOOD, model_of, peak_megabytes, print_line, ratios, rounded
from PIL import Image

from dogmood import DogMood
from dogmood.folder import photos_of
from dogmood.footage import Footage
from dogmood.photo import Photo
from dogmood.reader import WORKERS
from dogmood.smoothing import Smoother
from dogmood.tracks import Tracker
from dogmood.video import Frame, Video

RATE = 30
SHOWN = 4.0
"""Seconds that each photo of a clip is shown."""


def make_clip(path: Path, photos: list[Path], seconds: float, size: tuple[int, int]) -> None:
    """Write a clip that pans over photos, one after the other, again from the first when they end."""
    width, height = size
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        shown: tuple[int, Image.Image | None] = (-1, None)
        for i in range(round(seconds * RATE)):
            number, within = divmod(i / RATE, SHOWN)
            if shown[0] != number:
                with Image.open(photos[int(number) % len(photos)]) as image:
                    shown = int(number), image.convert("RGB").resize((width + 64, height))
            assert shown[1] is not None
            left = round(64 * within / SHOWN)
            pixels = np.asarray(shown[1].crop((left, 0, left + width, height)))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def decode(clip: Path, fps: float) -> tuple[float, list[Frame]]:
    """Return samples per second of decoding alone, and the samples."""
    start = time.perf_counter()
    with Video(clip) as video:
        frames = list(video.samples(fps))
    return len(frames) / (time.perf_counter() - start), frames


def read(dogmood: DogMood, frames: list[Frame]) -> float:
    """Return frames per second of reading, tracking and smoothing frames that are ready."""
    tracker, smoother = Tracker(), Smoother()
    start = time.perf_counter()
    for frame in frames:
        reading = dogmood.read_photo(Photo(frame.pixels, frame.width, frame.height, "clip"))
        numbers = tracker.update(frame.time, [dog.box for dog in reading.dogs])
        for dog, number in zip(reading.dogs, numbers, strict=True):
            dogmood.judged_anew(dog, smoother.update(number, frame.time, dog.probabilities))
    return len(frames) / (time.perf_counter() - start)


def both(dogmood: DogMood, clip: Path, fps: float) -> float:
    """Return frames per second of the whole path."""
    start = time.perf_counter()
    count = sum(photo is not None for photo, _ in Footage(dogmood, clip, fps))
    return count / (time.perf_counter() - start)


def peak(clip: Path, fps: float, model: str) -> float:
    with tempfile.TemporaryDirectory() as place:
        command = [DOGMOOD, "read", str(clip), "--fps", str(fps), "--quiet", "--model", model]
        return peak_megabytes([*command, "--out", str(Path(place, "readings.csv"))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--photos", type=Path, help="a folder of photos that a clip is made of")
    source.add_argument("--clip", type=Path, help="a video of your own")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--fps", type=float, default=5.0, help="samples a second")
    parser.add_argument("--seconds", type=float, default=40.0, help="length of the clip that is made")
    parser.add_argument("--size", default="1280x720", help="its width and height")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--longer", type=int, default=10, help="how many times as long the long clip is; 0: none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        measure(options, Path(place))


def measure(options: argparse.Namespace, place: Path) -> None:
    clip, longer = options.clip, None
    if clip is None:
        photos = [photo.path for photo in photos_of([options.photos]) if photo.problem is None]
        if not photos:
            sys.exit(f"{options.photos} holds no photos.")
        width, height = (int(side) for side in options.size.split("x"))
        clip = place / "clip.mp4"
        make_clip(clip, photos, options.seconds, (width, height))
        if options.longer:
            longer = place / "longer.mp4"
            make_clip(longer, photos, options.seconds * options.longer, (width, height))
    dogmood, alone = DogMood(options.model, side_by_side=WORKERS), DogMood(options.model)
    _, frames = decode(clip, options.fps)
    read(alone, frames[:5])
    decoded, reading, whole = [], [], []
    for i in range(options.rounds):
        turns = [
            lambda: decoded.append(decode(clip, options.fps)[0]),
            lambda: reading.append(read(alone, frames)),
            lambda: whole.append(both(dogmood, clip, options.fps)),
        ]
        for turn in turns[i % 3 :] + turns[: i % 3]:
            turn()
    slower = [min(pair) for pair in zip(decoded, reading, strict=True)]
    with Video(clip) as video:
        duration = video.duration
    print_line(
        "video",
        **ratios(whole, slower),
        aim="at least 0.8",
        frames=len(frames),
        fps=options.fps,
        width=frames[0].width,
        height=frames[0].height,
        seconds=duration,
        decoding_frames_per_s=rounded(decoded),
        reading_frames_per_s=rounded(reading),
        whole_frames_per_s=rounded(whole),
        times_real_time=round(float(np.median(whole)) / options.fps, 3),
        peak_mb=round(peak(clip, options.fps, options.model), 1),
        peak_mb_of_longer=None if longer is None else round(peak(longer, options.fps, options.model), 1),
        longer=options.longer,
        peak_aim_mb="under 1000 for two hours",
        model=model_of(dogmood),
    )


if __name__ == "__main__":
    main()
