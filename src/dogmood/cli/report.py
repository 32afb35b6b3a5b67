"""``dogmood report``: readings, or a run's or a sweep's folder in; one page out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from dogmood.cli.extras import needs
from dogmood.cli.train import CACHE, Cache, Data
from dogmood.cluster.places import is_storage_address
from dogmood.database.address import is_database_address
from dogmood.errors import UsageError
from dogmood.files import is_file, is_folder
from dogmood.stored import is_finished, is_shards


def report(
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="What `dogmood read --out` wrote: a file, a cluster's folder, here or in storage, or a database's "
            "address; or a tested run's or a finished sweep's folder.",
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
    if is_database_address(out):
        _tell(_page_of(out, page))
        return
    if is_storage_address(out):
        with _fetched(out) as here:
            _tell(_page_of(here, page or Path(f"{here.name}.html")))
        return
    folder = Path(out)
    if not (is_folder(folder) or is_file(folder)):
        raise UsageError(f"{out} does not exist: name a file of readings, or the folder of a run or a sweep.")
    if is_file(folder) or is_shards(folder):
        _tell(_page_of(folder, page))
        return
    if page is not None:
        raise UsageError("--page is for readings: a run's page is report.html in its folder.")
    with needs("lab"):
        from dogmood.lab.report import write_report as write_lab_report

        _tell(write_lab_report(folder, cache, str(data) if data else None))


def _tell(page: Path) -> None:
    typer.echo(f"{page}: open it in a browser")


def _page_of(readings: str | Path, page: Path | None) -> Path:
    from dogmood.report.page import write_report

    path = write_report(readings, page)
    if isinstance(readings, Path) and is_shards(readings) and not is_finished(readings):
        typer.echo(
            f"{readings.name} is not finished: the page is about what is there; `dogmood read --resume` goes on.",
            err=True,
        )
    return path


@contextmanager
def _fetched(address: str) -> Iterator[Path]:
    """Give a folder of shards that lies in storage, as one of this machine."""
    from dogmood.cluster.places import Folder
    from dogmood.cluster.shards import Shards

    folder = Folder(address)
    with TemporaryDirectory() as place:
        here = Path(place, folder.name.rpartition("/")[2])
        Shards(folder).fetch(here)
        yield here
