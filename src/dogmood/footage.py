"""The whole path of a video, on one page.

video -> frames at their times -> readings -> tracks -> smoothed probabilities -> doubt
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from dogmood.errors import UsageError
from dogmood.in_order import in_order
from dogmood.photo import Photo
from dogmood.reader import DogMood
from dogmood.reading import Reading
from dogmood.smoothing import SECONDS, Smoother
from dogmood.tracks import Tracker
from dogmood.video import FPS, Frame, Video

_AHEAD = 3
"""How many samples are decoded ahead of the networks."""


def check_rates(fps: float, smooth: float) -> None:
    """Refuse samples a second and seconds of smoothing that are out of range.

    Raises:
        UsageError: one is.
    """
    if not 0 < fps <= 1000 or not 0 <= smooth < float("inf"):
        raise UsageError("Samples a second lie between 0 and 1000, and seconds of smoothing are not below 0.")


class Footage:
    """Reads one video, frame by frame.

    Iterating gives each sampled frame with its reading, in order, while the next ones
    are decoded and read; memory does not grow with the video's length.  A reading has its frame's
    ``time``, and each of its dogs the number (``track``) that it has in the whole video
    and probabilities smoothed over time.  A video that ends before it should has one
    reading more: ``unreadable``, with the reason.

    Args:
        dogmood: reads the frames.
        path: the video.
        fps: samples a second.
        smooth: time constant of smoothing in seconds; 0 for none.
        explain: also say where the network looked in each frame; maps are not smoothed.
        state: go on from here (`state`), instead of from the start.

    Attributes:
        broken: frames that could not be decoded, so far.
        duration: of the video in seconds, where it says so; known once iterated.

    Raises:
        UsageError: ``fps`` or ``smooth`` is out of range, or another than before.
    """

    def __init__(
        self,
        dogmood: DogMood,
        path: Path,
        fps: float = FPS,
        smooth: float = SECONDS,
        explain: bool = False,
        state: dict[str, Any] | None = None,
    ) -> None:
        check_rates(fps, smooth)
        self.path = path
        self.broken = 0
        self.duration: float | None = None
        self._dogmood = dogmood
        self._explain = explain
        self._settings = {"fps": fps, "smooth": smooth, "emotions": list(dogmood.emotions)}
        self._tracker, self._smoother = Tracker(), Smoother(smooth)
        self._last: Frame | None = None
        self._before = state
        if state is not None:
            if state["settings"] != self._settings:
                raise UsageError(
                    f"{path} was begun with other settings ({_told(state['settings'])}): go on with those."
                )
            self._tracker = Tracker.from_state(state["tracker"])
            self._smoother.restore(state["smoother"])
            self.broken = state["broken"]

    def __iter__(self) -> Iterator[tuple[Photo | None, Reading]]:
        """Yield each frame with its reading.

        Raises:
            VideoError: the file is no video, or no frame of it can be decoded.
        """
        with ExitStack() as stack:
            video = stack.enter_context(Video(self.path))
            self.duration = video.duration
            for frame, (photo, reading) in self._readings(self._ahead(video, stack), stack):
                self._last = frame
                self.broken = frame.broken + self._broken_before
                yield photo, self._followed(reading, frame.time)
            self.broken = video.broken + self._broken_before
            if video.problem is not None:
                reading = self._dogmood.unreadable(str(self.path), video.problem)
                yield None, replace(reading, time=video.end)

    def state(self) -> dict[str, Any] | None:
        """Return how to go on after the last frame that was yielded, as JSON can hold it."""
        if self._last is None:
            return self._before
        return {
            "settings": self._settings,
            "index": self._last.index,
            # Where the file's times jump, only decoding from the start finds the place.
            "seek": self._last.time if self._last.steady and self._seeks else None,
            "broken": self.broken,
            "tracker": self._tracker.state(),
            "smoother": self._smoother.state(),
        }

    @property
    def _seeks(self) -> bool:
        return self._before is None or self._before["seek"] is not None

    @property
    def _broken_before(self) -> int:
        # Decoded from the start, the broken ones are met again.
        return 0 if self._before is None or not self._seeks else int(self._before["broken"])

    def _readings(self, frames: Iterator[Frame], stack: ExitStack) -> Iterator[tuple[Frame, tuple[Photo, Reading]]]:
        """Read frames as they are, each by itself, as many at once as the reader does."""
        at_once = self._dogmood.side_by_side
        reading = stack.enter_context(ThreadPoolExecutor(at_once))

        def read(frame: Frame) -> tuple[Photo, Reading]:
            photo = Photo(frame.pixels, frame.width, frame.height, str(self.path))
            return photo, self._dogmood.read_photo(photo, self._explain)

        try:
            yield from in_order(lambda frame: reading.submit(read, frame), frames, at_once)
        finally:
            reading.shutdown(wait=False, cancel_futures=True)

    def _ahead(self, video: Video, stack: ExitStack) -> Iterator[Frame]:
        """Decode in a thread of its own, a few samples ahead: PyAV lets others compute."""
        before = self._before or {"index": -1, "seek": None}
        frames = video.samples(self._settings["fps"], before["index"], before["seek"])  # type: ignore[arg-type]
        decoding = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        waiting: deque[Future[Frame | None]] = deque()
        try:
            while True:
                while len(waiting) < _AHEAD:
                    waiting.append(decoding.submit(next, frames, None))
                frame = waiting.popleft().result()
                if frame is None:
                    return
                yield frame
        finally:
            decoding.shutdown(cancel_futures=True)

    def _followed(self, reading: Reading, time: float) -> Reading:
        """Return a frame's reading with its dogs known from frame to frame, and smoothed."""
        numbers = self._tracker.update(time, [dog.box for dog in reading.dogs])
        dogs = []
        for dog, number in zip(reading.dogs, numbers, strict=True):
            smoothed = self._smoother.update(number, time, dog.probabilities)
            dogs.append(replace(self._dogmood.judged_anew(dog, smoothed), track=number))
        return replace(reading, time=time, dogs=tuple(dogs))


def _told(settings: dict[str, Any]) -> str:
    emotions = ",".join(settings["emotions"])
    return f"--fps {settings['fps']:g} --smooth {settings['smooth']:g} --emotions {emotions}"
