"""``dogmood export``: a run's folder in, a model file out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dogmood.cli.extras import needs
from dogmood.cli.train import CACHE, Cache, Data


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; RUN/model.dogmood unless said.", show_default=False)
    ] = None,
    version: Annotated[str, typer.Option(help="What the file calls its version.")] = "1",
    data: Data = None,
    cache: Cache = CACHE,
) -> None:
    """Make a model file that dogmood read --model takes, checked against torch first."""
    with needs("lab"):
        from dogmood.lab.export_run import export_run
        from dogmood.lab.run import Run

        target = out or run / "model.dogmood"
        exported = export_run(Run.open(run), target, cache, version, str(data) if data else None)
    typer.echo(
        f"{exported.path}: differs from torch by at most {exported.difference:.1e} in probability on "
        f"{exported.photos} photos; next: dogmood read --model {exported.path} PHOTO"
    )
