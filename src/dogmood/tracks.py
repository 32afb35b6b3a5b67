"""Which dog of one frame is which of the next: numbers that stay with their dogs.

Each dog's box is followed by a Kalman filter whose clock is the frames' own time, and
found again by the overlap of widened boxes: cascaded buffered IoU (Yang et al. 2023,
arXiv:2211.14317), made for things that move irregularly and look alike.

It is our own because the well-kept libraries do not fit: `trackers` (Apache-2.0)
brings OpenCV, Matplotlib and SciPy, more than all of dogmood's reading side, for a few
boxes a frame; `norfair` and `motpy` rest on filterpy, unmaintained since 2018; BoxMOT
is AGPL.  And all of them count frames where sampled video needs seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box, iou

KEPT_SECONDS = 2.0
"""How long a dog that is not seen is waited for."""

_BUFFERS = (0.3, 0.5)
"""By what share of its size a box is widened on each side, in the first round of
matching and in the second (the paper's values)."""

_LEAST = 0.05
"""Widened boxes that overlap less (IoU) are not one dog."""

_VELOCITY_SECONDS = 0.5
"""A movement is forgotten with this time constant: who is hidden does not run on."""

_MEASURED, _SPEED, _ACCELERATION = 0.05, 2.0, 4.0
"""Standard deviations in units of the dog's size: of a box's edges; of a new dog's speed
a second; of the change of speed, a second and root second.  A running dog passes its
own length in a fraction of a second and turns as quickly."""

_Vector = NDArray[np.float64]


@dataclass
class _Track:
    """One dog: centre and size with their velocities, four independent filters.

    Attributes:
        number: the dog's.
        time: of the last update, in seconds.
        place: ``(4,)``: centre x, y, width, height, in pixels.
        speed: ``(4,)``: their change a second.
        spread: ``(3,)``: variances of place, of both together, of speed; in units of
            the dog's size, the same for all four.
    """

    number: int
    time: float
    place: _Vector
    speed: _Vector
    spread: _Vector

    def predicted(self, time: float) -> tuple[_Vector, _Vector, _Vector]:
        """Return place, speed and spread at a later time."""
        gone = time - self.time
        kept = math.exp(-gone / _VELOCITY_SECONDS)
        reach = _VELOCITY_SECONDS * (1 - kept)
        places, both, speeds = self.spread
        noise = _ACCELERATION**2
        spread = np.array([
            places + 2 * reach * both + reach**2 * speeds + noise * gone**3 / 3,
            kept * (both + reach * speeds) + noise * gone**2 / 2,
            kept**2 * speeds + noise * gone,
        ])  # fmt: skip
        place = self.place + reach * self.speed
        place[2:] = np.maximum(place[2:], 1.0)
        return place, kept * self.speed, spread

    def update(self, time: float, measured: _Vector) -> None:
        """Take in where the dog is seen."""
        place, speed, (places, both, speeds) = self.predicted(time)
        whole = places + _MEASURED**2
        gain, gain_of_speed = places / whole, both / whole
        missed = measured - place
        self.place, self.speed = place + gain * missed, speed + gain_of_speed * missed
        self.spread = np.array([(1 - gain) * places, (1 - gain) * both, speeds - gain_of_speed * both])
        self.time = time


class Tracker:
    """Numbers dogs from frame to frame, from 1 in the order in which they are first seen."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 1

    def update(self, time: float, boxes: Sequence[Box]) -> list[int]:
        """Return the number of each dog of a frame.

        Args:
            time: the frame's, in seconds, above those before.
            boxes: the dogs' bodies in pixels.
        """
        self._tracks = [track for track in self._tracks if time - track.time <= KEPT_SECONDS]
        expected = [_box_of(track.predicted(time)[0]) for track in self._tracks]
        found: dict[int, _Track] = {}
        taken: set[int] = set()
        for buffer in _BUFFERS:
            left = [i for i in range(len(boxes)) if i not in found]
            overlaps = [
                (iou(_widened(expected[t], buffer), _widened(boxes[i], buffer)), t, i)
                for t in range(len(expected))
                for i in left
                if t not in taken
            ]
            # Best first: with the few dogs of a picture this is the best assignment
            # but for rare ties, which no assignment of boxes alone can settle.
            for overlap, t, i in sorted(overlaps, key=lambda pair: (-pair[0], pair[1:])):
                if overlap >= _LEAST and t not in taken and i not in found:
                    found[i] = self._tracks[t]
                    taken.add(t)
        return [self._take(time, box, found.get(i)) for i, box in enumerate(boxes)]

    def state(self) -> dict[str, Any]:
        """Return all that `from_state` needs, as JSON can hold it."""
        tracks = [asdict(t) | {k: getattr(t, k).tolist() for k in ("place", "speed", "spread")} for t in self._tracks]
        return {"next": self._next, "tracks": tracks}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Tracker:
        """Return the tracker that `state` was taken from."""
        tracker = cls()
        tracker._next = state["next"]
        for item in state["tracks"]:
            vectors = {key: np.array(item[key]) for key in ("place", "speed", "spread")}
            tracker._tracks.append(_Track(item["number"], item["time"], **vectors))
        return tracker

    def _take(self, time: float, box: Box, track: _Track | None) -> int:
        measured = _place_of(box)
        if track is None:
            track = _Track(self._next, time, measured, np.zeros(4), np.array([_MEASURED**2, 0.0, _SPEED**2]))
            self._tracks.append(track)
            self._next += 1
        else:
            track.update(time, measured)
        return track.number


def _place_of(box: Box) -> _Vector:
    x0, y0, x1, y1 = box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0])


def _box_of(place: _Vector) -> Box:
    x, y, width, height = place.tolist()
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _widened(box: Box, share: float) -> Box:
    x, y = share * (box[2] - box[0]), share * (box[3] - box[1])
    return box[0] - x, box[1] - y, box[2] + x, box[3] + y
