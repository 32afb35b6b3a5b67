"""``dogmood explain-test``: a model file and annotated photos in, proof of its maps out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogmood.cli.extras import needs
from dogmood.errors import UsageError

if TYPE_CHECKING:
    from dogmood.lab.explain.tables import Table


def explain_test(
    data: Annotated[Path, typer.Option(help="The folder that holds emotions/ and finder/.", show_default=False)],
    model: Annotated[str, typer.Option(help="A shipped model's name, or a .dogmood file.")] = "base",
    out: Annotated[Path, typer.Option(help="The folder for explain-test.json, .md and regions.svg.")] = Path(
        "explain-test"
    ),
    split: Annotated[str, typer.Option(help="test; or valid, while something is still being chosen.")] = "test",
    photos: Annotated[int, typer.Option(min=1, help="Photos that are changed, each about 160 times.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the choice of those photos.")] = 0,
    rise: Annotated[int, typer.Option(min=0, help="Random masks for the agreement with RISE; 0 leaves it out.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    work: Annotated[Path, typer.Option(help="Where finished photos are kept: run again to go on.")] = Path(
        ".cache/explain-test"
    ),
) -> None:
    """Test whether the maps of a model tell the truth, on held-out photos.

    About 160 runs of the classifier for each photo that is changed, and ten for each other one.
    """
    if split not in ("test", "valid"):
        raise UsageError(f"There is no split {split!r} to test on: choose test or valid.")
    with needs("lab"):
        from dogmood.lab import plots
        from dogmood.lab.explain.proof import Plan
        from dogmood.lab.explain.proof import explain_test as measure
        from dogmood.lab.explain.tables import answers, tables, to_markdown

        figures = measure(model, Plan(data, split, photos, seed, rise), work)
        drawn = plots.regions(figures["attention"])
    text = to_markdown(figures)
    _write(out, {"explain-test.json": _json(figures) + "\n", "explain-test.md": text, "regions.svg": drawn})
    if json:
        typer.echo(_json(figures))
    elif markdown:
        typer.echo(text)
    else:
        _print(tables(figures))
        for answer in answers(figures):
            typer.echo(answer)
        typer.echo(f"{out}: explain-test.json, explain-test.md, regions.svg")


def _json(figures: dict[str, Any]) -> str:
    from json import dumps

    return dumps(figures, indent=1)


def _write(folder: Path, files: dict[str, str]) -> None:
    from dogmood.atomic import atomic_write

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}; give another --out.") from None
    for name, text in files.items():
        with atomic_write(folder / name, text=True) as file:
            file.write(text)


def _print(found: list[Table]) -> None:
    from rich.console import Console
    from rich.table import Table as Drawn

    console = Console()
    for table in found:
        drawn = Drawn(title=table.title)
        for column in table.columns:
            drawn.add_column(column, justify="right" if column else "left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)
