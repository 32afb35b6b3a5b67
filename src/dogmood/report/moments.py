"""Which moments a person should look at: fear, anger, and what the reading is not sure of."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dogmood.boxes import Box
from dogmood.emotions import EMOTIONS
from dogmood.reading import Row
from dogmood.stored import SENT
from dogmood.tracks import KEPT_SECONDS

WATCHED = ("anger", "fear")
"""The emotions whose moments are shown."""


@dataclass(frozen=True)
class Moment:
    """A dog in a photo, or a dog over a stretch of a video.

    Attributes:
        source: the photo or video.
        dog: the dog's number: in a video its track.
        emotion: at the moment that says it best.
        probability: likewise.
        sure: likewise.
        possible: likewise: the emotions that cannot be ruled out, likeliest first.
        box: where the dog is, in pixels of the upright photo or frame.
        time: of that moment in seconds, or None for a photo.
        start: when the stretch begins, or None.
        end: when it ends, or None.
        taken: when the photo was taken, or None.
        sent: whether it was sent to the page: ``source`` is then a name, and no file of ours.
    """

    source: str
    dog: int
    emotion: str
    probability: float
    sure: bool
    possible: tuple[str, ...]
    box: Box
    time: float | None = None
    start: float | None = None
    end: float | None = None
    taken: str | None = None
    sent: bool = False


@dataclass
class _Stretch:
    start: float
    end: float
    score: tuple[float, ...]
    row: Row


class Moments:
    """Keeps the moments that say most; memory does not grow with the readings.

    Readings of a video that follow one another within `KEPT_SECONDS` are one moment.

    Args:
        limit: how many are kept of each kind.
    """

    def __init__(self, limit: int) -> None:
        self._best: dict[str, _Best] = {kind: _Best(limit) for kind in (*WATCHED, "doubt")}
        self._open: dict[tuple[str, int, str], _Stretch] = {}

    def add(self, row: Row) -> None:
        """Take in the row of a dog."""
        values: Any = row
        chances = sorted((values[emotion] or 0.0 for emotion in EMOTIONS), reverse=True)
        if values["emotion"] in WATCHED:
            self._put(values["emotion"], (float(values["sure"]), values["probability"]), row)
        if not values["sure"]:
            self._put("doubt", (chances[1] - chances[0],), row)

    def of(self, kind: str) -> tuple[list[Moment], int]:
        """Return the best moments of a kind and how many there were altogether.

        Args:
            kind: ``anger``, ``fear``: the surest first; or ``doubt``: the closest call first.
        """
        for key in list(self._open):
            self._close(key)
        return self._best[kind].sorted(), self._best[kind].count

    def _put(self, kind: str, score: tuple[float, ...], row: Row) -> None:
        values: Any = row
        if values["time"] is None:
            self._best[kind].add(score, _moment(row))
            return
        key = values["source"], values["track"] or values["dog"], kind
        stretch = self._open.get(key)
        if stretch is not None and values["time"] - stretch.end > KEPT_SECONDS:
            self._close(key)
            stretch = None
        if stretch is None:
            self._open[key] = _Stretch(values["time"], values["time"], score, row)
            return
        stretch.end = values["time"]
        if score > stretch.score:
            stretch.score, stretch.row = score, row

    def _close(self, key: tuple[str, int, str]) -> None:
        stretch = self._open.pop(key)
        self._best[key[2]].add(stretch.score, _moment(stretch.row, stretch.start, stretch.end))


@dataclass
class _Best:
    limit: int
    count: int = 0
    heap: list[tuple[tuple[float, ...], int, Moment]] = field(default_factory=list)

    def add(self, score: tuple[float, ...], moment: Moment) -> None:
        # Among equals the earlier one stays.
        heapq.heappush(self.heap, (score, -self.count, moment))
        self.count += 1
        if len(self.heap) > self.limit:
            heapq.heappop(self.heap)

    def sorted(self) -> list[Moment]:
        return [moment for _, _, moment in sorted(self.heap, key=lambda item: item[:2], reverse=True)]


def _moment(row: Row, start: float | None = None, end: float | None = None) -> Moment:
    values: Any = row
    edges: Iterable[float] = (values[f"box_{edge}"] or 0.0 for edge in ("x0", "y0", "x1", "y1"))
    x0, y0, x1, y1 = edges
    return Moment(
        source=values["source"],
        dog=values["track"] or values["dog"],
        emotion=values["emotion"],
        probability=values["probability"],
        sure=bool(values["sure"]),
        possible=tuple((values["set"] or values["emotion"]).split()),
        box=(x0, y0, x1, y1),
        time=values["time"],
        start=start,
        end=end,
        taken=values["taken"],
        sent=SENT in values,
    )
