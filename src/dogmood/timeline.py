"""Emotions over time, drawn: one band of colours for a dog, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from dogmood.emotions import COLOURS, EMOTIONS

_STEPS = 300
"""Most columns of a band: more than that a page's width cannot show."""

_WIDTH, _HEIGHT, _TOP, _SURE = 800, 150, 6, 6
"""Size of a drawing in its own units; the band's upper edge; the height of the line
below it that says where the reading is sure."""

_TICKS = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


class Series:
    """Probabilities of one dog over time, in at most some hundred steps however many there are.

    Args:
        step: seconds that one step spans at first; doubled as often as need be.
    """

    def __init__(self, step: float = 0.2) -> None:
        self.step = step
        self.first = math.inf
        self.last = -math.inf
        self._steps: dict[int, NDArray[np.float64]] = {}

    def add(self, time: float, probabilities: Mapping[str, float], sure: bool) -> None:
        """Add a reading at a time in seconds."""
        self.first, self.last = min(self.first, time), max(self.last, time)
        values = np.array([*(probabilities.get(emotion, 0.0) for emotion in EMOTIONS), float(sure), 1.0])
        self._put(math.floor(time / self.step + 1e-6), values)
        while len(self._steps) > _STEPS:
            self.step *= 2
            old, self._steps = self._steps, {}
            for index, sums in old.items():
                self._put(index // 2, sums)

    def columns(self) -> list[tuple[float, NDArray[np.float64]]]:
        """Return each step that has readings: its start, and ``(6,)``: five means, and the share that is sure."""
        return [(index * self.step, sums[:-1] / sums[-1]) for index, sums in sorted(self._steps.items())]

    def shares(self) -> dict[str, float]:
        """Return the mean probability of each emotion, the highest first."""
        total = np.sum(list(self._steps.values()), axis=0)
        means = dict(zip(EMOTIONS, (total[:5] / total[-1]).tolist(), strict=True))
        return dict(sorted(means.items(), key=lambda item: -item[1]))

    def _put(self, index: int, values: NDArray[np.float64]) -> None:
        self._steps[index] = self._steps.get(index, 0.0) + values


def clock(seconds: float) -> str:
    """Return seconds as people write them: ``0:07``, ``2:05:00``, ``0:00.5``."""
    whole, tenths = divmod(round(seconds * 10), 10)
    part = f".{tenths}" if tenths else ""
    hours, rest = divmod(whole, 3600)
    head = f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{head}:{rest % 60:02d}{part}"


def timeline_svg(
    series: Series,
    title: str,
    start: float | None = None,
    end: float | None = None,
    label: Callable[[float], str] = clock,
    alone: bool = False,
) -> str:
    """Return the drawing of a dog's emotions over time.

    Each column stacks the emotions' probabilities; the line below is dark where most
    readings are sure.  Where the dog is not seen, nothing is drawn.

    Args:
        series: what is drawn; at least one reading.
        title: for those who hear it, and above a drawing that stands alone.
        start: where the axis begins, in seconds; the first reading unless given.
        end: where it ends; at the last reading's end at the earliest.
        label: writes a time below the axis.
        alone: with title, legend and background, for a file of its own.
    """
    start = series.first if start is None else start
    end = max(series.last + series.step, -math.inf if end is None else end)
    across = _WIDTH / (end - start)
    bottom = _HEIGHT - 30
    bands = "".join(
        f'<path fill="{COLOURS[emotion]}" d="{path}"><title>{emotion}</title></path>'
        for emotion, path in _bands(series, start, across, bottom).items()
        if path
    )
    told = ", ".join(f"{emotion} {share:.0%}" for emotion, share in series.shares().items() if share >= 0.005)
    drawn = bands + _sure_line(series, start, across, bottom + 3) + _axis(start, end, bottom + 3 + _SURE, label)
    above = 44 if alone else 0
    head = _head(title) if alone else ""
    look = ' style="background:#fff;color:#1b1b1b;font-family:sans-serif"' if alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 {-above} {_WIDTH + 20} {_HEIGHT + above}" role="img" '
        f'aria-label="{escape(title)}: {told}"{look}>{head}{drawn}</svg>'
    )


def _bands(series: Series, start: float, across: float, bottom: float) -> dict[str, str]:
    """Return each emotion's path: one rectangle a column."""
    paths: dict[str, list[str]] = {emotion: [] for emotion in EMOTIONS}
    wide = max(2.0, series.step * across)
    for time, means in series.columns():
        x, y = (time - start) * across, float(bottom)
        for emotion, mean in zip(EMOTIONS, means.tolist(), strict=False):
            high = mean * (bottom - _TOP)
            y -= high
            if high >= 0.1:
                paths[emotion].append(f"M{x:.1f} {y:.1f}h{wide:.1f}v{high:.1f}h{-wide:.1f}z")
    return {emotion: "".join(parts) for emotion, parts in paths.items()}


def _sure_line(series: Series, start: float, across: float, y: float) -> str:
    wide = max(2.0, series.step * across)
    parts = [
        f"M{(t - start) * across:.1f} {y}h{wide:.1f}v{_SURE}h{-wide:.1f}z" for t, m in series.columns() if m[5] >= 0.5
    ]
    return f'<path fill="currentColor" d="{"".join(parts)}"><title>sure</title></path>' if parts else ""


def _axis(start: float, end: float, y: float, label: Callable[[float], str]) -> str:
    step = next((tick for tick in _TICKS if (end - start) / tick <= 8), 86400 * math.ceil((end - start) / 86400 / 8))
    ticks = []
    for i in range(math.ceil(start / step - 1e-6), math.floor(end / step + 1e-6) + 1):
        x = (i * step - start) / (end - start) * _WIDTH
        side = "start" if x < 20 else "end" if x > _WIDTH - 20 else "middle"
        ticks.append(
            f'<path stroke="currentColor" d="M{x:.1f} {y}v4"/>'
            f'<text x="{x:.1f}" y="{y + 16}" font-size="12" fill="currentColor" text-anchor="{side}">'
            f"{escape(label(i * step))}</text>"
        )
    return f'<path stroke="currentColor" d="M0 {y}h{_WIDTH}"/>' + "".join(ticks)


def _head(title: str) -> str:
    keys = []
    for i, emotion in enumerate(EMOTIONS):
        x = i * 110
        keys.append(
            f'<rect x="{x}" y="-20" width="12" height="12" fill="{COLOURS[emotion]}"/>'
            f'<text x="{x + 17}" y="-9" font-size="13" fill="currentColor">{emotion}</text>'
        )
    keys.append(
        f'<rect x="560" y="-17" width="14" height="{_SURE}" fill="currentColor"/>'
        '<text x="580" y="-9" font-size="13" fill="currentColor">sure</text>'
    )
    return f'<text x="0" y="-28" font-size="14" fill="currentColor">{escape(title)}</text>' + "".join(keys)
