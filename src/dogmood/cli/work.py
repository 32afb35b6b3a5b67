"""What ``dogmood read`` does with each photo and video: read, write, draw, tell."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dogmood.cli.progress import Bar
from dogmood.cli.show import show
from dogmood.errors import UsageError
from dogmood.folder import PhotoPath
from dogmood.summary import Summary

if TYPE_CHECKING:
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
    """

    explain: Explain | None
    pictures: Path
    json: bool
    tables: bool
    workers: int


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

    def read(self, items: Iterable[PhotoPath]) -> None:
        """Read everything, in order."""
        for _, group in groupby(items, key=lambda item: item.is_video and item.problem is None):
            self._read_photos(list(group))

    def _read_photos(self, items: Sequence[PhotoPath]) -> None:
        explain = self._wanted.explain is not None
        paths = (item.path for item in items if item.problem is None)
        pairs = self._dogmood.read_with_photos(paths, explain, self._wanted.workers)
        for item in items:
            if item.problem is not None:
                photo, reading = None, self._dogmood.unreadable(str(item.path), item.problem)
            else:
                photo, reading = next(pairs)
            self._keep(reading)
            saved = self._save_pictures(photo, reading, item.name) if photo else []
            self._tell(reading, saved)
            self._bar.advance()

    def _keep(self, reading: Reading) -> None:
        self.summary.add(reading)
        if self._results is not None:
            self._results.write(reading)

    def _tell(self, reading: Reading, saved: Sequence[Path]) -> None:
        if reading.reason is not None:
            typer.echo(reading.reason, err=True)
        if self._wanted.json:
            from dogmood.outputs import json_line

            typer.echo(json_line(reading))
        elif self._wanted.tables and reading.status != "unreadable":
            typer.echo(show(reading, colour=sys.stdout.isatty()))
        if self._wanted.json or self._wanted.tables:
            for path in saved:
                typer.echo(f"  saved {path}", err=self._wanted.json)

    def _save_pictures(self, photo: Photo, reading: Reading, name: Path) -> list[Path]:
        """Save the pictures of one photo, under its own relative name."""
        if self._wanted.explain is None:
            return []
        from dogmood.picture import annotated, save_picture, strip

        stem = self._wanted.pictures / name
        make_folder(stem.parent)
        saved = [stem.with_name(f"{name.name}.png")]
        save_picture(annotated(photo, reading), saved[0])
        if self._wanted.explain is Explain.ALL:
            for dog in reading.dogs:
                saved.append(stem.with_name(f"{name.name}.dog{dog.dog}.png"))
                save_picture(strip(photo, dog), saved[-1])
        return saved


def make_folder(folder: Path) -> None:
    """Make a folder for drawings.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
