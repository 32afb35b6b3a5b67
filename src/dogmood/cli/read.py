"""``dogmood read``: photos, videos and folders in, readings out."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogmood.cli.progress import bar, watched
from dogmood.cli.stopping import INTERRUPTED
from dogmood.cli.work import Explain, Wanted, Work, make_folder
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.folder import PhotoPath, photos_of
from dogmood.smoothing import SECONDS
from dogmood.video import FPS

if TYPE_CHECKING:
    from dogmood.reader import DogMood
    from dogmood.results import Results


class ExplainQuality(StrEnum):
    """How sharp maps are."""

    QUICK = "quick"
    FINE = "fine"


def read(
    paths: Annotated[
        list[Path], typer.Argument(help="Photos, videos, and folders of both.", show_default=False, readable=False)
    ],
    explain: Annotated[
        Explain | None,
        typer.Option(
            help="Save each photo with boxes, labels and where the network looked; "
            "'--explain all' adds a strip of every emotion for each dog. Of a video, with --annotate.",
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[Path, typer.Option(help="The folder --explain, --annotate and --timeline save to.")] = Path(
        "dogmood-pictures"
    ),
    explain_quality: Annotated[
        ExplainQuality, typer.Option(help="Fine maps take nine closer looks at each dog: sharper, ten times the work.")
    ] = ExplainQuality.QUICK,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a photo or frame.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write to FILE.json, .jsonl, .csv or .parquet, as it goes.", show_default=False),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --out where a run stopped; what is done is skipped.")
    ] = False,
    emotions: Annotated[str, typer.Option(help="Choose from these alone; probabilities are renormalised.")] = ",".join(
        EMOTIONS
    ),
    model: Annotated[str, typer.Option(help="A shipped model's name, or a .dogmood file.")] = "base",
    ten_crop: Annotated[bool, typer.Option("--ten-crop", help="Average ten crops of each dog.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Photos unpacked side by side; as many as suit the machine unless said."),
    ] = None,
    fps: Annotated[float, typer.Option(help="Of a video, frames read a second.")] = FPS,
    smooth: Annotated[
        float, typer.Option(help="Of a video, seconds over which each dog's probabilities are smoothed; 0: not.")
    ] = SECONDS,
    annotate: Annotated[
        bool, typer.Option("--annotate", help="Save each video's frames that were read, with boxes and labels.")
    ] = False,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Save a plot over time for each dog of a video.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print problems only.")] = False,
) -> None:
    """Read the emotion each dog visibly shows.

    Leaves with 0 when a photo or video was read, 1 when none could be, 2 after wrong use.
    """
    if resume and out is None:
        raise UsageError("--resume goes on with an output file: name it with --out.")
    photos = photos_of(paths)
    results: Results | None = None
    try:
        with ExitStack() as stack:
            if out is not None:
                # Opened first: an output that cannot be written should stop us before
                # the work, not after it.
                from dogmood.results import open_results

                results = stack.enter_context(open_results(out, resume))
            from dogmood.reader import WORKERS, DogMood

            dogmood = DogMood(model, emotions, ten_crop, explain_quality=explain_quality)
            if explain or annotate or timeline:
                make_folder(pictures)
            todo = photos if results is None else _not_done(photos, results, dogmood)
            skipped = len(photos) - len(todo)
            show_bar = not quiet and watched() and _wants_bar(photos, out, json)
            tables = not (quiet or json or (show_bar and out is not None and sys.stdout.isatty()))
            wanted = Wanted(
                explain, pictures, json and not quiet, tables, workers or WORKERS, fps, smooth, annotate, timeline
            )
            progress = stack.enter_context(bar(len(photos), skipped, show_bar))
            work = Work(dogmood, results, wanted, progress)
            work.read(todo)
    except KeyboardInterrupt:
        _say_what_is_kept(results)
        raise typer.Exit(INTERRUPTED) from None
    if not quiet and (len(photos) > 1 or photos[0].is_video):
        _sum_up(work, skipped, out, json)
    if work.summary.readable == 0 and skipped == 0:
        raise typer.Exit(1)


def _not_done(photos: list[PhotoPath], results: Results, dogmood: DogMood) -> list[PhotoPath]:
    results.check_model(dogmood.model)
    return [item for item in photos if not results.has(str(item.path))]


def _wants_bar(photos: list[PhotoPath], out: Path | None, json: bool) -> bool:
    # Tables of photos and a bar on one terminal would chase each other: where the
    # readings are kept in a file the bar takes their place, else they take the bar's.
    videos = [photo.is_video for photo in photos]
    free = not sys.stdout.isatty() or out is not None or (all(videos) and not json)
    return free and (len(photos) > 1 or any(videos))


def _say_what_is_kept(results: Results | None) -> None:
    kept = ""
    if results is not None and results.log.exists():
        kept = f": what was read is kept in {results.log}; the same command with --resume goes on"
    typer.echo(f"Stopped{kept}.", err=True)


def _sum_up(work: Work, skipped: int, out: Path | None, json: bool) -> None:
    """Say what the run came to; beside JSON only where a person sees it."""
    if json and not watched():
        return
    lines = work.summary.lines(skipped)
    if lines and out is not None:
        lines.append(f"Written to {out}.")
    for line in lines:
        typer.echo(line, err=json)
