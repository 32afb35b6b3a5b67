"""What a run came to, in a few lines: counts, and where its readings are."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from dogmood.reading import Reading

_COUNTERS = ("_photos", "_frames", "_videos", "_emotions")


class Summary:
    """Counts readings as they come."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._photos: Counter[str] = Counter()
        self._frames: Counter[str] = Counter()
        self._videos: Counter[str] = Counter()
        self._dogs = self._sure = 0
        self._emotions: Counter[str] = Counter()

    def add(self, reading: Reading) -> None:
        """Count one reading."""
        (self._photos if reading.time is None else self._frames)[reading.status] += 1
        self._dogs += len(reading.dogs)
        self._sure += sum(dog.sure for dog in reading.dogs)
        self._emotions.update(dog.emotion for dog in reading.dogs)

    def add_video(self, readable: bool) -> None:
        """Count a video that was read to its end, or could not be read."""
        self._videos["readable" if readable else "unreadable"] += 1

    def tally(self) -> dict[str, Any]:
        """Return the counts so far, as JSON can hold them."""
        counters = {name: dict(getattr(self, name)) for name in _COUNTERS}
        return counters | {"_dogs": self._dogs, "_sure": self._sure}

    def merge(self, tally: Mapping[str, Any]) -> None:
        """Add what was counted elsewhere (`tally`)."""
        for name in _COUNTERS:
            getattr(self, name).update(tally[name])
        self._dogs += tally["_dogs"]
        self._sure += tally["_sure"]

    @property
    def readable(self) -> int:
        """How many photos and frames could be read."""
        return sum(c["read"] + c["no_dog"] for c in (self._photos, self._frames))

    def lines(self, skipped: int) -> list[str]:
        """Return the summary, a sentence a line; none where nothing was to be read.

        Args:
            skipped: how many photos and videos earlier runs had read.
        """
        seconds = time.monotonic() - self._begun
        lines = []
        if self._photos.total():
            lines.append(
                f"{_counted(self._photos, 'photo')}; {self._photos.total() / max(seconds, 1e-3):.1f} a second."
            )
        if self._videos.total():
            bad = f", {self._videos['unreadable']:,} unreadable" if self._videos["unreadable"] else ""
            lines.append(f"{_many(self._videos.total(), 'video')}{bad}; {_counted(self._frames, 'frame')}.")
        if self._dogs:
            told = ", ".join(f"{emotion} {count:,}" for emotion, count in self._emotions.most_common())
            lines.append(f"{_many(self._dogs, 'reading')} of a dog: {told}; sure of {self._sure:,}.")
        if skipped:
            lines.append(f"{skipped:,} of the photos and videos had been read before.")
        if self.readable or skipped:
            lines.append(f"It took {_duration(seconds)}.")
        return lines


def _counted(counts: Counter[str], what: str) -> str:
    parts = [f"{counts['read']:,} with a dog", f"{counts['no_dog']:,} without"]
    if counts["unreadable"]:
        parts.append(f"{counts['unreadable']:,} unreadable")
    return f"{_many(counts.total(), what)}: {', '.join(parts)}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
