"""``dogmood report``: a run's or a sweep's folder in, one page out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dogmood.cli.extras import needs
from dogmood.cli.train import CACHE, Cache, Data


def report(
    folder: Annotated[Path, typer.Argument(help="A tested run's or a finished sweep's folder.", show_default=False)],
    data: Data = None,
    cache: Cache = CACHE,
) -> None:
    """Write one self-contained page about a run or a sweep: report.html in its folder."""
    with needs("lab"):
        from dogmood.lab.report import write_report

        path = write_report(folder, cache, str(data) if data else None)
    typer.echo(f"{path}: open it in a browser")
