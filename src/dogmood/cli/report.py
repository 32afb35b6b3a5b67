"""``dogmood report``: readings, or a run's or a sweep's folder in; one page out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dogmood.cli.extras import needs
from dogmood.cli.train import CACHE, Cache, Data
from dogmood.database.address import is_database_address
from dogmood.errors import UsageError
from dogmood.folder import is_file, is_folder


def report(
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="What `dogmood read --out` wrote, a file or a database's address; "
            "or a tested run's or a finished sweep's folder.",
            show_default=False,
        ),
    ],
    page: Annotated[
        Path | None,
        typer.Option(help="Where to write the page about readings; beside them unless said.", show_default=False),
    ] = None,
    data: Data = None,
    cache: Cache = CACHE,
) -> None:
    """Write one self-contained page about readings, or about a run or a sweep: report.html in its folder."""
    folder = Path(out)
    if not (is_database_address(out) or is_folder(folder) or is_file(folder)):
        raise UsageError(f"{out} does not exist: name a file of readings, or the folder of a run or a sweep.")
    if not is_database_address(out) and is_folder(folder):
        if page is not None:
            raise UsageError("--page is for readings: a run's page is report.html in its folder.")
        with needs("lab"):
            from dogmood.lab.report import write_report as write_lab_report

            path = write_lab_report(folder, cache, str(data) if data else None)
    else:
        from dogmood.report.page import write_report

        path = write_report(out, page)
    typer.echo(f"{path}: open it in a browser")
