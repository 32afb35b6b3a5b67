"""``dogmood read``: photos, videos and folders in, readings out."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogmood.cli.progress import bar, watched
from dogmood.cli.work import Explain, Wanted, Work, make_folder
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.folder import PhotoPath, photos_of

if TYPE_CHECKING:
    from dogmood.reader import DogMood
    from dogmood.results import Results


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
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a photo.")] = False,
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
    quiet: Annotated[bool, typer.Option("--quiet", help="Print problems only.")] = False,
) -> None:
    """Read the emotion each dog visibly shows.

    Leaves with 0 when a photo was read, 1 when none could be, 2 after wrong use.
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

            dogmood = DogMood(model, emotions, ten_crop)
            if explain:
                make_folder(pictures)
            todo = photos if results is None else _not_done(photos, results, dogmood)
            skipped, show_bar = len(photos) - len(todo), _shows_bar(len(photos), quiet, out)
            tables = not (quiet or json or (show_bar and sys.stdout.isatty()))
            wanted = Wanted(explain, pictures, json and not quiet, tables, workers or WORKERS)
            progress = stack.enter_context(bar(len(photos), skipped, show_bar))
            work = Work(dogmood, results, wanted, progress)
            work.read(todo)
    except KeyboardInterrupt:
        _say_what_is_kept(results)
        raise typer.Exit(130) from None
    if len(photos) > 1 and not quiet:
        _sum_up(work, skipped, out, json)
    if work.summary.readable == 0 and skipped == 0:
        raise typer.Exit(1)


def _not_done(photos: list[PhotoPath], results: Results, dogmood: DogMood) -> list[PhotoPath]:
    results.check_model(dogmood.model)
    return [item for item in photos if not results.has(str(item.path))]


def _shows_bar(count: int, quiet: bool, out: Path | None) -> bool:
    # Tables and a bar on one terminal would chase each other: there the bar takes the
    # tables' place where the readings are kept in a file, and leaves it to them else.
    return count > 1 and not quiet and watched() and (out is not None or not sys.stdout.isatty())


def _say_what_is_kept(results: Results | None) -> None:
    kept = f": what was read is kept in {results.log if results else ''}; the same command with --resume goes on"
    typer.echo(f"Stopped{kept if results is not None and results.log.exists() else ''}.", err=True)


def _sum_up(work: Work, skipped: int, out: Path | None, json: bool) -> None:
    """Say what the run came to; beside JSON only where a person sees it."""
    if json and not watched():
        return
    lines = work.summary.lines(skipped)
    if lines and out is not None:
        lines.append(f"Written to {out}.")
    for line in lines:
        typer.echo(line, err=json)
