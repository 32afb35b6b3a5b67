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
        list[str],
        typer.Argument(
            help="Photos, videos, and folders of both; with --cluster also addresses such as s3://bucket/photos.",
            show_default=False,
        ),
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
        str | None,
        typer.Option(
            help="Also write to FILE.json, .jsonl, .csv or .parquet, or to a database, as it goes: "
            "sqlite:///FILE, postgresql://USER@HOST/NAME.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with --out where a run stopped; what is done is skipped, what was unreadable is tried again.",
        ),
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
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Address of a Ray cluster to read on; 'local' starts one here. --out is then a folder, or an address, "
            "for Parquet files.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print problems only.")] = False,
) -> None:
    """Read the emotion each dog visibly shows.

    Leaves with 0 when a photo or video was read, 1 when none could be, 2 after wrong use.
    """
    if (fps, smooth) != (FPS, SECONDS):
        from dogmood.footage import check_rates

        check_rates(fps, smooth)
    if cluster is not None:
        from dogmood.cli.read_cluster import read_on_cluster, refuse_options

        fine = explain_quality is ExplainQuality.FINE
        refuse_options(
            explain=explain is not None, explain_quality=fine, json=json, annotate=annotate, timeline=timeline
        )
        read_on_cluster(cluster, paths, out, resume, quiet, model, emotions, ten_crop, workers, fps, smooth)
        return
    if resume and out is None:
        raise UsageError("--resume goes on with an output file: name it with --out.")
    photos = photos_of(map(_here, paths), pictures)
    results: Results | None = None
    try:
        with ExitStack() as stack:
            if out is not None:
                # Opened first: an output that cannot be written should stop us before
                # the work, not after it.
                from dogmood.results import open_results

                results = stack.enter_context(open_results(out, resume))
            from dogmood.reader import WORKERS, DogMood

            workers = workers or WORKERS
            # A single photo has all threads to itself; a video's frames are many photos.
            at_once = min(workers, WORKERS) if len(photos) > 1 or photos[0].is_video else 1
            dogmood = DogMood(model, emotions, ten_crop, explain_quality=explain_quality, side_by_side=at_once)
            if explain or annotate or timeline:
                make_folder(pictures)
            todo = photos if results is None else _not_done(photos, results, dogmood)
            skipped = len(photos) - len(todo)
            show_bar = not quiet and watched() and _wants_bar(photos, out is not None, json)
            tables = not (quiet or json or (show_bar and out is not None and sys.stdout.isatty()))
            wanted = Wanted(explain, pictures, json and not quiet, tables, workers, fps, smooth, annotate, timeline)
            progress = stack.enter_context(bar(len(photos), skipped, show_bar))
            work = Work(dogmood, results, wanted, progress)
            work.read(todo)
    except KeyboardInterrupt:
        _say_what_is_kept(results)
        raise typer.Exit(INTERRUPTED) from None
    if not quiet and (len(photos) > 1 or photos[0].is_video):
        _sum_up(work, skipped, results, json)
    if work.summary.readable == 0 and skipped == 0:
        raise typer.Exit(1)


def _here(path: str) -> Path:
    if not path:
        raise UsageError("A path is empty; name a photo, a video or a folder ('.' is the one you are in).")
    if "://" in path:
        raise UsageError(
            f"{path} is an address: photos in storage are read with --cluster; '--cluster local' runs here."
        )
    return Path(path)


def _not_done(photos: list[PhotoPath], results: Results, dogmood: DogMood) -> list[PhotoPath]:
    results.check_model(dogmood.model)
    results.retry(str(item.path) for item in photos)
    return [item for item in photos if not results.has(str(item.path))]


def _wants_bar(photos: list[PhotoPath], kept: bool, json: bool) -> bool:
    # Tables of photos and a bar on one terminal would chase each other: where the
    # readings are kept in a file the bar takes their place, else they take the bar's.
    videos = [photo.is_video for photo in photos]
    free = not sys.stdout.isatty() or kept or (all(videos) and not json)
    return free and (len(photos) > 1 or any(videos))


def _say_what_is_kept(results: Results | None) -> None:
    kept = ""
    if results is not None and (place := results.kept_in()) is not None:
        kept = f": what was read is kept in {place}; the same command with --resume goes on"
    typer.echo(f"Stopped{kept}.", err=True)


def _sum_up(work: Work, skipped: int, results: Results | None, json: bool) -> None:
    """Say what the run came to; beside JSON only where a person sees it."""
    if json and not watched():
        return
    lines = work.summary.lines(skipped)
    if lines and results is not None:
        lines.append(f"Written to {results.name}.")
    for line in lines:
        typer.echo(line, err=json)
