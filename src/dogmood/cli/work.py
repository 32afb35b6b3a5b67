"""What ``dogmood read`` does with each photo and video: read, write, draw, tell."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dogmood.atomic import check_name, clear_leftovers
from dogmood.cli.progress import Bar
from dogmood.cli.show import show
from dogmood.cli.tracks_seen import TracksSeen
from dogmood.errors import PathTooLongError, UsageError, VideoError, printable
from dogmood.folder import PhotoPath
from dogmood.summary import Summary

if TYPE_CHECKING:
    from dogmood.annotated_video import AnnotatedVideo
    from dogmood.footage import Footage
    from dogmood.photo import Photo
    from dogmood.reader import DogMood
    from dogmood.reading import Reading
    from dogmood.results import Results


class Explain(StrEnum):
    """Which maps are drawn."""

    WINNER = "winner"
    ALL = "all"


@dataclass(frozen=True)
class Wanted:
    """What is wanted beside the readings.

    Attributes:
        explain: which maps are drawn.
        pictures: the folder that drawings are saved to.
        json: print readings as JSON.
        tables: print readings for people.
        workers: photos unpacked side by side.
        fps: of a video, samples a second.
        smooth: of a video, time constant of smoothing in seconds.
        annotate: save each video with boxes and labels.
        timeline: save a plot for each dog of a video.
    """

    explain: Explain | None
    pictures: Path
    json: bool
    tables: bool
    workers: int
    fps: float
    smooth: float
    annotate: bool
    timeline: bool


class Work:
    """Reads photos and videos in turn.

    Args:
        dogmood: reads.
        results: where readings are kept, or None.
        wanted: what else is wanted.
        bar: shows how far it is.
    """

    def __init__(self, dogmood: DogMood, results: Results | None, wanted: Wanted, bar: Bar) -> None:
        self.summary = Summary()
        self._dogmood = dogmood
        self._results = results
        self._wanted = wanted
        self._bar = bar
        self._prepared: set[Path] = set()

    def read(self, items: Iterable[PhotoPath]) -> None:
        """Read everything, in order."""
        for videos, group in groupby(items, key=lambda item: item.is_video and item.problem is None):
            if not videos:
                self._read_photos(list(group))
                continue
            for item in group:
                self._read_video(item)
                self._bar.advance()

    def _read_photos(self, items: Sequence[PhotoPath]) -> None:
        explain = self._wanted.explain is not None
        paths = (item.path for item in items if item.problem is None)
        pairs = self._dogmood.read_with_photos(paths, explain, self._wanted.workers)
        for item in items:
            if item.problem is not None:
                photo, reading = None, self._dogmood.unreadable(str(item.path), item.problem)
            else:
                photo, reading = next(pairs)
            # Pictures first: a run that goes on draws none of what counts as read.
            saved = self._save_pictures(photo, reading, item.name) if photo else []
            self._keep(reading)
            self._tell(reading, saved)
            self._bar.advance()

    def _read_video(self, item: PhotoPath) -> None:
        from dogmood.footage import Footage

        source, wanted = str(item.path), self._wanted
        state = None if self._results is None else self._results.video_state(source)
        explain = wanted.explain is not None and wanted.annotate
        footage = Footage(self._dogmood, item.path, wanted.fps, wanted.smooth, explain, state)
        if state is not None and (wanted.annotate or wanted.timeline):
            typer.echo(f"{printable(source)} was begun before: drawings show it from where it goes on.", err=True)
        dogs, drawn = TracksSeen(item.path), False
        try:
            with self._annotated_video(item.name) as video:
                drawn = video is not None
                self._read_frames(footage, dogs, video)
        except VideoError as error:
            reading = self._dogmood.unreadable(source, str(error))
            if self._results is not None:
                self._results.write(reading)
            self._tell(reading, [])
        if footage.broken:
            typer.echo(f"{printable(source)}: {footage.broken} broken frames were skipped.", err=True)
        if self._results is not None:
            self._results.end_video(source)
        if wanted.tables and dogs.frames:
            typer.echo(dogs.show(colour=sys.stdout.isatty()))
        saved: list[Path] = []
        if wanted.timeline:
            with told_if_too_long():
                self._prepare(wanted.pictures / item.name)
                saved = dogs.save_timelines(wanted.pictures / item.name, footage.duration)
        if drawn and dogs.frames:
            saved.append(self._video_path(item.name))
        self._tell_saved(saved)
        self.summary.add_video(readable=dogs.frames > 0)

    def _read_frames(self, footage: Footage, dogs: TracksSeen, video: AnnotatedVideo | None) -> None:
        source = str(footage.path)
        if self._results is not None:
            self._results.keep_place(source, footage.state())
        for photo, reading in footage:
            self._keep(reading)
            dogs.add(reading)
            if photo is not None and self._results is not None:
                self._results.keep_place(source, footage.state())
            if photo is not None and video is not None:
                video.add(photo, reading)
            if self._wanted.json or reading.reason is not None:
                self._tell(reading, [])
            self._bar.show_video(footage.path.name, reading.time or 0.0, footage.duration)

    def _annotated_video(self, name: Path) -> AbstractContextManager[AnnotatedVideo | None]:
        if not self._wanted.annotate:
            return nullcontext()
        from dogmood.annotated_video import open_annotated_video

        path = self._video_path(name)
        with told_if_too_long():
            self._prepare(path)
            return open_annotated_video(path)
        return nullcontext()

    def _video_path(self, name: Path) -> Path:
        return self._wanted.pictures / name.with_name(f"{name.name}.webm")

    def _keep(self, reading: Reading) -> None:
        self.summary.add(reading)
        if self._results is not None:
            self._results.write(reading)

    def _tell(self, reading: Reading, saved: Sequence[Path]) -> None:
        if reading.reason is not None:
            typer.echo(printable(reading.reason), err=True)
        if self._wanted.json:
            from dogmood.outputs import json_line

            typer.echo(json_line(reading, sys.stdout.encoding))
        elif self._wanted.tables and reading.status != "unreadable":
            typer.echo(show(reading, colour=sys.stdout.isatty()))
        self._tell_saved(saved)

    def _tell_saved(self, saved: Sequence[Path]) -> None:
        if self._wanted.json or self._wanted.tables:
            for path in saved:
                typer.echo(f"  saved {printable(str(path))}", err=self._wanted.json)

    def _save_pictures(self, photo: Photo, reading: Reading, name: Path) -> list[Path]:
        """Save the pictures of one photo, under its own relative name."""
        if self._wanted.explain is None:
            return []
        from dogmood.picture import annotated, save_picture, strip

        stem, saved = self._wanted.pictures / name, []
        with told_if_too_long():
            path = stem.with_name(f"{name.name}.png")
            self._prepare(path)
            save_picture(annotated(photo, reading), path)
            saved.append(path)
            for dog in reading.dogs if self._wanted.explain is Explain.ALL else ():
                path = stem.with_name(f"{name.name}.dog{dog.dog}.png")
                save_picture(strip(photo, dog), path)
                saved.append(path)
        return saved

    def _prepare(self, path: Path) -> None:
        """Make a drawing's folder, and clear up once what killed runs left in it."""
        check_name(path)
        make_folder(path.parent)
        if path.parent not in self._prepared:
            clear_leftovers(path.parent)
            self._prepared.add(path.parent)


@contextmanager
def told_if_too_long() -> Iterator[None]:
    """Tell of a name that is too long for a drawing, and go on: one is no reason to stop a run."""
    try:
        yield
    except PathTooLongError as error:
        typer.echo(f"{error} Its drawing is left out.", err=True)


def make_folder(folder: Path) -> None:
    """Make a folder for drawings.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
