"""``dogmood read``: photos and folders in, readings out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogmood.cli.show import show
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.folder import PhotoPath, photos_of

if TYPE_CHECKING:
    from dogmood.outputs import Write
    from dogmood.photo import Photo
    from dogmood.reader import DogMood
    from dogmood.reading import Reading


class Explain(StrEnum):
    """Which maps are drawn."""

    WINNER = "winner"
    ALL = "all"


class ExplainQuality(StrEnum):
    """How sharp maps are."""

    QUICK = "quick"
    FINE = "fine"


def read(
    paths: Annotated[list[Path], typer.Argument(help="Photos and folders of photos.", show_default=False)],
    explain: Annotated[
        Explain | None,
        typer.Option(
            help="Save each photo with boxes, labels and where the network looked; "
            "'--explain all' adds a strip of every emotion for each dog.",
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[Path, typer.Option(help="The folder --explain saves to.")] = Path("dogmood-pictures"),
    explain_quality: Annotated[
        ExplainQuality, typer.Option(help="Fine maps take nine closer looks at each dog: sharper, ten times the work.")
    ] = ExplainQuality.QUICK,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a photo.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write to FILE.json, .jsonl, .csv or .parquet.", show_default=False)
    ] = None,
    emotions: Annotated[str, typer.Option(help="Choose from these alone; probabilities are renormalised.")] = ",".join(
        EMOTIONS
    ),
    model: Annotated[str, typer.Option(help="A shipped model's name, or a .dogmood file.")] = "base",
    ten_crop: Annotated[bool, typer.Option("--ten-crop", help="Average ten crops of each dog.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print problems only.")] = False,
) -> None:
    """Read the emotion each dog visibly shows.

    Leaves with 0 when a photo was read, 1 when none could be, 2 after wrong use.
    """
    photos = photos_of(paths)
    with ExitStack() as stack:
        write: Write = _nothing
        if out is not None:
            # Opened first: an output that cannot be written should stop us before
            # the work, not after it.
            from dogmood.outputs import open_output

            write = stack.enter_context(open_output(out))
        from dogmood.reader import DogMood

        dogmood = DogMood(model, emotions, ten_crop, explain_quality=explain_quality)
        if explain:
            _make_folder(pictures)
        readable = 0
        for item, photo, reading in _read_all(dogmood, photos, explain is not None, quiet):
            write(reading)
            saved = _save_pictures(photo, reading, item.name, pictures, explain) if photo and explain else []
            readable += reading.status != "unreadable"
            _report(reading, saved, json, quiet)
    if readable == 0:
        raise typer.Exit(1)


def _read_all(
    dogmood: DogMood, photos: Sequence[PhotoPath], explain: bool, quiet: bool
) -> Iterator[tuple[PhotoPath, Photo | None, Reading]]:
    """Yield each photo asked for with its reading, in order."""
    pairs = dogmood.read_with_photos((p.path for p in photos if p.problem is None), explain)
    for item in _with_progress(photos, quiet):
        if item.problem is not None:
            yield item, None, dogmood.unreadable(str(item.path), item.problem)
        else:
            yield item, *next(pairs)


def _with_progress(photos: Sequence[PhotoPath], quiet: bool) -> Iterable[PhotoPath]:
    # A bar only where somebody watches it and the readings do not scroll it away.
    if len(photos) == 1 or quiet or sys.stdout.isatty() or not sys.stderr.isatty():
        return photos
    from rich.console import Console
    from rich.progress import track

    return track(photos, "Reading", console=Console(stderr=True))


def _report(reading: Reading, saved: Sequence[Path], json: bool, quiet: bool) -> None:
    if reading.reason is not None:
        typer.echo(reading.reason, err=True)
    if quiet:
        return
    if json:
        from dogmood.outputs import json_line

        typer.echo(json_line(reading))
    elif reading.status != "unreadable":
        typer.echo(show(reading, colour=sys.stdout.isatty()))
    for path in saved:
        typer.echo(f"  saved {path}", err=json)


def _save_pictures(photo: Photo, reading: Reading, name: Path, folder: Path, explain: Explain) -> list[Path]:
    """Save the pictures of one photo, under its own relative name."""
    from dogmood.picture import annotated, save_picture, strip

    stem = folder / name
    _make_folder(stem.parent)
    saved = [stem.with_name(f"{name.name}.png")]
    save_picture(annotated(photo, reading), saved[0])
    if explain is Explain.ALL:
        for dog in reading.dogs:
            saved.append(stem.with_name(f"{name.name}.dog{dog.dog}.png"))
            save_picture(strip(photo, dog), saved[-1])
    return saved


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None


def _nothing(reading: Reading) -> None:
    """Write nowhere."""
