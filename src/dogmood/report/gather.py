"""What stored readings come to, in one pass and little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dogmood.emotions import EMOTIONS
from dogmood.folder import VIDEO_SUFFIXES
from dogmood.reading import Row
from dogmood.report.moments import Moments
from dogmood.stored import SENT
from dogmood.timeline import Series

MOMENTS = 24
"""Moments shown of each kind."""

FAILURES = 50
"""Unreadable photos and videos that are listed."""

_MINUTE = 60.0


@dataclass
class Gathered:
    """What was read.

    Attributes:
        photos: photos by status.
        frames: frames of videos by status.
        of_photos: dogs in photos by emotion.
        of_frames: dogs in frames by emotion.
        bad_videos: how many videos could not be read at all.
        sure: how many dogs were read for sure.
        dogs: how many dogs were read, each frame's anew.
        models: names and versions of the models.
        tracks: for each video the dogs' probabilities over its time.
        ends: for each video the time of the last frame that was read, in seconds.
        days: for each day the probabilities over the time of day in seconds.
        undated: how many photos with a dog do not say when they were taken.
        moments: what a person should look at.
        failures: sources and reasons of what could not be read, the first ones.
        failed: how many there are altogether.
    """

    photos: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    of_photos: Counter[str] = field(default_factory=Counter)
    of_frames: Counter[str] = field(default_factory=Counter)
    bad_videos: int = 0
    sure: int = 0
    dogs: int = 0
    models: dict[str, None] = field(default_factory=dict)
    tracks: dict[str, dict[int, Series]] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    days: dict[str, Series] = field(default_factory=dict)
    undated: int = 0
    moments: Moments = field(default_factory=lambda: Moments(MOMENTS))
    failures: list[tuple[str, str]] = field(default_factory=list)
    failed: int = 0

    @property
    def videos(self) -> int:
        """How many videos have a frame that was read."""
        return len(self.ends)


def gather(rows: Iterable[Row]) -> Gathered:
    """Go through rows (`stored.rows_in`) once."""
    found = Gathered()
    for row in rows:
        _count(found, row)
        if row["emotion"] is not None:
            found.moments.add(row)
            _place_in_time(found, row)
    return found


def _count(found: Gathered, row: Row) -> None:
    values: Any = row
    if values["model"] is not None:
        found.models[f"{values['model']} {values['model_version']}"] = None
    in_video = values["time"] is not None
    if values["dog"] in (None, 1):  # the first row of a photo or frame
        if in_video:
            found.frames[values["status"]] += 1
        elif _is_bad_video(values):
            found.bad_videos += 1
        else:
            found.photos[values["status"]] += 1
    if values["status"] == "unreadable":
        found.failed += 1
        if len(found.failures) < FAILURES:
            found.failures.append((values["source"], values["reason"] or ""))
    elif in_video:
        found.ends[values["source"]] = max(found.ends.get(values["source"], 0.0), values["time"])
    if values["emotion"] is not None:
        (found.of_frames if in_video else found.of_photos)[values["emotion"]] += 1
        found.dogs += 1
        found.sure += bool(values["sure"])


def _is_bad_video(row: Mapping[str, Any]) -> bool:
    """Return whether a row without a time is a whole video's; a photo that was sent may be called anything."""
    return row["status"] == "unreadable" and SENT not in row and Path(row["source"]).suffix.lower() in VIDEO_SUFFIXES


def _place_in_time(found: Gathered, row: Row) -> None:
    values: Any = row
    if values["time"] is not None:
        dogs = found.tracks.setdefault(values["source"], {})
        series, at = dogs.setdefault(values["track"] or values["dog"], Series()), values["time"]
    elif values["taken"] is not None:
        day, clock = values["taken"][:10], values["taken"][11:19].split(":")
        series = found.days.setdefault(day, Series(_MINUTE))
        at = sum(int(part) * unit for part, unit in zip(clock, (3600, 60, 1), strict=False))
    else:
        found.undated += 1
        return
    series.add(at, {name: values[name] or 0.0 for name in EMOTIONS}, bool(values["sure"]))
