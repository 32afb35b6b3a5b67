"""What a video showed, dog by dog."""

from __future__ import annotations

from pathlib import Path

import typer

from dogmood.errors import UsageError, printable
from dogmood.reading import Reading


class TracksSeen:
    """Gathers a video's readings, little however long it is.

    Args:
        path: the video.

    Attributes:
        frames: how many were read.
    """

    def __init__(self, path: Path) -> None:
        from dogmood.timeline import Series

        self.frames = 0
        self._path = path
        self._size = (0, 0)
        self._series: dict[int, Series] = {}
        self._new = Series

    def add(self, reading: Reading) -> None:
        """Take in one frame's reading."""
        if reading.status == "unreadable" or reading.time is None:
            return
        self.frames += 1
        self._size = reading.width, reading.height
        for dog in reading.dogs:
            series = self._series.setdefault(dog.track or dog.dog, self._new())
            series.add(reading.time, dog.probabilities, dog.sure)

    def show(self, colour: bool) -> str:
        """Return a few lines for a person: each dog, when it was seen, and the mean of its probabilities."""
        from dogmood.timeline import clock

        dogs = len(self._series)
        what = "no dog" if dogs == 0 else "1 dog" if dogs == 1 else f"{dogs} dogs"
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        title = f"{printable(str(self._path))}  {self._size[0]} x {self._size[1]}  {frames}  {what}"
        lines = [typer.style(title, bold=True) if colour else title]
        for track, series in sorted(self._series.items()):
            shares = ", ".join(f"{emotion} {share:.0%}" for emotion, share in series.shares().items())
            lines.append(f"  dog {track}  {clock(series.first)} to {clock(series.last)}  {shares}")
        return "\n".join(lines)

    def save_timelines(self, stem: Path, duration: float | None) -> list[Path]:
        """Save a plot of each dog: ``STEM.dog1.svg`` and so on.

        Raises:
            UsageError: the folder cannot be written to.
        """
        from dogmood.atomic import atomic_write
        from dogmood.timeline import timeline_svg

        saved = []
        for track, series in sorted(self._series.items()):
            path = stem.with_name(f"{stem.name}.dog{track}.svg")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from None
            with atomic_write(path, text=True) as file:
                file.write(
                    timeline_svg(series, f"{printable(self._path.name)}, dog {track}", 0.0, duration, alone=True)
                )
            saved.append(path)
        return saved
