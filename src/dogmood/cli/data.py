"""``dogmood data``: labelled photos in, split fairly, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogmood.cli.extras import needs
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError, printable

if TYPE_CHECKING:
    from dogmood.lab.data.checking import Check

app = typer.Typer(help="Bring labelled photos in, split them fairly, check them.", no_args_is_help=True)

_SHOWN = 5
"""Of a long list, this many are printed; check.json has all."""


@app.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder per class, a CSV or Parquet file (path, label), FER2013's CSV file, or our own folder.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Argument(help="The folder to make.", show_default=False)],
    means: Annotated[
        list[str] | None, typer.Option("--map", help="WORD=EMOTION for a class name; may be repeated.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A class name to leave out; may be repeated.")] = None,
) -> None:
    """Copy labelled photos into a folder with photos/ and manifest.csv."""
    pairs = {}
    for word in means or []:
        name, equals, emotion = word.partition("=")
        if not equals:
            raise UsageError(f"--map {word} maps nothing: write WORD=EMOTION.")
        pairs[name] = emotion
    with needs("lab"):
        from dogmood.lab.data.importing import import_photos

        done = import_photos(source, out, pairs, drop or [])
    for reason in done.unreadable[:_SHOWN]:
        typer.echo(f"left out: {printable(reason)}", err=True)
    if len(done.unreadable) > _SHOWN:
        typer.echo(f"left out: {len(done.unreadable) - _SHOWN} more that cannot be read", err=True)
    for word, count in done.dropped.items():
        typer.echo(f"left out: {count} of {printable(word)}", err=True)
    counts = ", ".join(f"{done.counts[emotion]} {emotion}" for emotion in EMOTIONS if emotion in done.counts)
    # A split that came with the photos is to be kept: figures of others hold for it alone.
    following = "check" if done.split else "split"
    typer.echo(f"{out}: {sum(done.counts.values())} photos ({counts}); next: dogmood data {following} {out}")


@app.command()
def split(
    folder: Annotated[Path, typer.Argument(help="The folder with manifest.csv.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    embedding: Annotated[
        bool, typer.Option(help="Find near-duplicates by a network's features as well as by hash.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Redo a split that exists.")] = False,
) -> None:
    """Group near-duplicates, dogs and videos; split groups 80/10/10, each emotion alike."""
    with needs("lab"):
        from dogmood.lab.data.splitting import split_photos

        counts = split_photos(folder, seed, embedding, again)
    _print_counts(counts)
    typer.echo(f"{folder}: split; next: dogmood data check {folder}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The folder with manifest.csv.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where to write what was found; FOLDER-check unless said.", show_default=False)
    ] = None,
) -> None:
    """Look for duplicates across splits, label conflicts, unreadable or replaced files and likely mislabels."""
    whole = folder.resolve()
    beside = whole if folder.name in ("", "..") else folder  # "." and ".." name no folder to write beside
    target = out or beside.parent / f"{whole.name}-check"
    with needs("lab"):
        from dogmood.lab.data.checking import check_photos, write_check

        found = check_photos(folder)
        write_check(found, folder, target)
    _print_counts(found.counts)
    _print_found(found)
    typer.echo(f"{target}: check.json, suspects.csv and, if there are any, suspects.png")


def _print_counts(counts: Mapping[str, Mapping[str, int]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Photos")
    table.add_column("split")
    for emotion in (*EMOTIONS, "all"):
        table.add_column(emotion, justify="right")
    for name, count in counts.items():
        table.add_row(name, *(str(count.get(e, 0)) for e in EMOTIONS), str(sum(count.values())))
    Console().print(table)


def _print_found(found: Check) -> None:
    lists = {
        "cannot be read": found.unreadable,
        "another file than noted": found.replaced,
        "near photos in several splits": [", ".join(names) for names in found.across],
        "near photos with several labels": [", ".join(names) for names in found.conflicts],
        "a single photo": found.scarce,
        "empty splits": found.empty,
        "likely mislabels": [f"{s.photo}: {s.label}, likely {s.likely}" for s in found.suspects],
    }
    for title, items in lists.items():
        typer.echo(f"{title}: {len(items) or 'none'}")
        for item in items[:_SHOWN]:
            typer.echo(f"  {printable(item)}")
