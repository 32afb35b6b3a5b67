"""From a video file to upright RGB frames at their presentation times.

Frames are chosen by the time at which they are shown, not by counting them, so that
variable frame rates come out right; a phone's rotation and mirroring are applied;
frames that cannot be decoded are counted and left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dogmood.errors import VideoError
from dogmood.photo import ENOUGH_SIDE, MIN_SIDE, Pixels
from dogmood.video_file import MAX_PIXEL_ASPECT, moving_pictures, opened

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FPS = 5.0
"""Samples a second unless told otherwise."""

_CLOCK_TIME = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)

_CLOCK = 1e-3
"""Seconds by which a frame may come before its step: the coarsest clock of a container
that is usual (Matroska's) would else drop frames at their own rate."""

_RUN_UP = 5.0
"""Seconds before a place at which decoding begins where the container does not index its frames."""

_SHORT = 1.0
"""Seconds that may be missing at the end before a video counts as cut short."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One sampled frame, upright.

    Attributes:
        time: seconds from the video's start at which it is shown.
        pixels: ``(h, w, 3)`` uint8 RGB, the long side at most `ENOUGH_SIDE`.
        width: width of the upright video in pixels.
        height: its height.
        broken: how many frames before it could not be decoded.
        index: number of the sample's place on the grid of ``1 / fps`` seconds.
        steady: whether times so far were the file's own; where they were not, a
            place in the video can only be found by decoding from the start.
    """

    time: float
    pixels: Pixels
    width: int
    height: int
    broken: int
    index: int
    steady: bool


class Video:
    """An open video file; a context manager.

    Args:
        path: the file.

    Attributes:
        duration: in seconds as the file says, or None where it does not.
        broken: how many frames could not be decoded so far.
        end: the time of the last frame that the file holds, broken or not, in seconds.

    Raises:
        VideoError: there is no such file, or it is no video.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = 0
        self.end = 0.0
        self._container = opened(path)
        try:
            self._stream = moving_pictures(self._container, path)
        except BaseException:
            self._container.close()
            raise
        self._rate = _likely_rate(float(self._stream.average_rate or 0))
        self._start = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
        self.duration, self._of_pictures = self._said_duration()

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def problem(self) -> str | None:
        """After the last sample: in a sentence, why the end is not the end; else None."""
        if self.duration is None or not self._of_pictures or self.end + 1 / self._rate + _SHORT >= self.duration:
            return None
        return f"{self.path} is cut short or damaged: it says {self.duration:.1f} s and ends after {self.end:.1f} s."

    def samples(self, fps: float, after: int = -1, seek: float | None = None) -> Iterator[Frame]:
        """Yield the first frame at or after each multiple of ``1 / fps`` seconds.

        Where the video has no frame within a step, the step is left out: no frame is
        yielded twice.

        Args:
            fps: samples a second, above 0.
            after: only samples whose `Frame.index` is above this.
            seek: where to begin decoding, in seconds, or None for the start.

        Raises:
            VideoError: no frame can be decoded.
        """
        decoded = False
        frames = self._frames() if seek is None else self._frames_from(seek)
        clock = _Clock(self._start, 1 / self._rate)
        for frame in frames:
            time = clock.time_of(frame)
            self.end = max(self.end, time)
            decoded = True
            index = math.floor((time + _CLOCK) * fps + 1e-6)
            if index > after:
                after = index
                pixels, width, height = _upright(frame, self._stream)
                if min(width, height) < MIN_SIDE:
                    raise VideoError(f"{self.path} is {width} x {height} pixels: too small to show a dog.")
                yield Frame(time, pixels, width, height, self.broken, index, clock.steady)
        if not decoded and seek is None:
            raise VideoError(f"{self.path} holds no frame that can be decoded.")

    def _frames(self) -> Iterator[VideoFrame]:
        from av.error import FFmpegError

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:  # what follows in the file cannot be told apart any more
                return
            if packet is None:
                return
            if packet.pts is not None and packet.time_base is not None:
                self.end = max(self.end, float(packet.pts * packet.time_base) - self._start)
            try:
                frames = packet.decode()
            except FFmpegError:
                self.broken += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.broken += 1
                else:
                    yield frame

    def _frames_from(self, time: float) -> Iterator[VideoFrame]:
        """Yield frames of which the first is shown at ``time`` or before, if one is at all."""
        # MPEG's streams know no places, and guess times until some have passed.
        before, back = self.broken, _RUN_UP if self._container.format.name in ("mpeg", "mpegts") else 0.0
        while True:
            self.end = time
            sought = back < time and self._seek(time - back)
            if not sought:
                self._open_anew()
            frames = self._frames()
            first = next(frames, None)
            # One may have landed seconds behind what was asked for.
            if not sought or (first is not None and first.time is not None and first.time - self._start <= time):
                break
            back = max(1.0, 2 * back)
        self.broken = before  # what cannot be decoded between two pictures that can is not broken
        if first is not None:
            yield first
            yield from frames

    def _seek(self, time: float) -> bool:
        """Go to the last place at or before a time from which can be decoded; say whether that is possible."""
        from av.error import FFmpegError

        place = int((time + self._start) / float(self._stream.time_base or 1))
        try:
            self._container.seek(max(0, place), stream=self._stream, backward=True)
        except FFmpegError:
            return False
        return True

    def _open_anew(self) -> None:
        self._container.close()
        self._container = opened(self.path)
        self._stream = moving_pictures(self._container, self.path)

    def _said_duration(self) -> tuple[float | None, bool]:
        """Return how long the video is, as the file says, and whether that is said of the pictures."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base), True
        # Matroska says when each stream ends, and of the whole file when its last one does.
        tag = _CLOCK_TIME.fullmatch(self._stream.metadata.get("DURATION", ""))
        if tag is not None:
            return 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3]) - self._start, True
        if self._container.duration is None:
            return None, False
        return self._container.duration / 1e6 - max(0.0, self._start), len(self._container.streams) == 1


class _Clock:
    """Gives each frame a time that never goes back, whatever the file says."""

    def __init__(self, start: float, step: float) -> None:
        self.steady = True
        self._step = step
        self._shift = -start
        self._last: float | None = None

    def time_of(self, frame: VideoFrame) -> float:
        said = frame.time
        following = 0.0 if self._last is None else self._last + self._step
        if said is None:
            self.steady = False
            time = following
        elif self._last is not None and said + self._shift < self._last:
            # Pieces strung together begin to count anew: go on where we were.
            self.steady = False
            self._shift = following - said
            time = following
        else:
            time = max(0.0, said + self._shift)
        self._last = time
        return time


def _upright(frame: VideoFrame, stream: VideoStream) -> tuple[Pixels, int, int]:
    """Return a frame's pixels as they are shown, and the upright size in full."""
    aspect = _likely_aspect(float(stream.sample_aspect_ratio or 1))
    width, height = max(1, round(frame.width * aspect)), frame.height
    scale = min(1.0, ENOUGH_SIDE / max(width, height))
    small = frame.reformat(width=max(1, round(width * scale)), height=max(1, round(height * scale)), format="rgb24")
    pixels: Pixels = np.asarray(small.to_ndarray(), np.uint8)
    swap, left_right, up_down = _turn(frame)
    if swap:
        pixels = pixels.transpose(1, 0, 2)
        width, height = height, width
    if left_right:
        pixels = pixels[:, ::-1]
    if up_down:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels), width, height


def _likely_rate(said: float) -> float:
    """Return the frames a second that a file says, or a usual number where it cannot be meant."""
    return said if 0.01 <= said <= 1000 else 25.0


def _likely_aspect(said: float) -> float:
    """Return a pixel's width over its height as a file says, or 1 where it cannot be meant."""
    return said if 1 / MAX_PIXEL_ASPECT <= said <= MAX_PIXEL_ASPECT else 1.0


def _turn(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Return how a frame is turned: axes swapped, then mirrored left-right, then up-down.

    The display matrix (ISO/IEC 14496-12, 8.3.2) sends a pixel (x, y) to
    (a x + c y, b x + d y); only quarter turns and mirrors are told apart.
    """
    from av.sidedata.sidedata import Type

    beside: Any = frame.side_data
    found = beside.get(Type.DISPLAYMATRIX)
    if found is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(found), "=i4")[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0
