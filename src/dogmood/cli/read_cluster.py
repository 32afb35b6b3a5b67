"""``dogmood read --cluster``: the same reading on Ray."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from dogmood.cli.progress import bar, watched
from dogmood.cluster.places import Folder, photos_at, shown
from dogmood.database.address import is_database_address
from dogmood.errors import UsageError, printable
from dogmood.summary import Summary


def read_on_cluster(
    cluster: str,
    places: Sequence[str],
    out: str | None,
    resume: bool,
    quiet: bool,
    model: str,
    emotions: str,
    ten_crop: bool,
    workers: int | None,
    fps: float,
    smooth: float,
) -> None:
    """Read photos on a Ray cluster into a folder of Parquet files.

    Raises:
        UsageError: an option is wrong, or another run is at work in the folder.
        ClusterError: the cluster cannot be reached or cannot do the work.
    """
    if out is None:
        raise UsageError("--cluster writes a folder of Parquet files: name it with --out.")
    from dogmood.cluster.claim import alone_in
    from dogmood.cluster.connection import connected, slots
    from dogmood.cluster.run import prepare, read_shards
    from dogmood.cluster.worker import Job

    job = Job(tuple(places), out, model, emotions, ten_crop, workers or Job.workers, fps=fps, smooth=smooth)
    _refuse_file(job.out)
    sources, problems = photos_at(places)
    for problem in problems:
        typer.echo(printable(problem), err=True)
    if not sources:
        raise typer.Exit(1)
    summary = Summary()
    try:
        with connected(cluster) as ray, alone_in(Folder(job.out)) as check:
            count = slots(ray, job.threads)
            plan = prepare(job, sources, resume, count)
            total = sum(len(shard.sources) for shard in plan.shards)
            with bar(total, plan.skipped, watched() and not quiet) as progress:
                for done in read_shards(ray, plan, count):
                    check()
                    summary.merge(done.summary)
                    for reason in done.reasons:
                        typer.echo(printable(reason), err=True)
                    progress.advance(len(done.shard.sources))
    except KeyboardInterrupt:
        typer.echo("Stopped: finished shards are kept; the same command with --resume goes on.", err=True)
        raise typer.Exit(130) from None
    if not quiet:
        for line in [*summary.lines(plan.skipped), f"Written to {shown(job.out)}."]:
            typer.echo(printable(line))
    if summary.readable == 0 and plan.skipped == 0:
        raise typer.Exit(1)


def refuse_options(**given: bool) -> None:
    """Refuse what a cluster does not do.

    Args:
        given: whether each option was given.

    Raises:
        UsageError: one was.
    """
    words = [f"--{name.replace('_', '-')}" for name, is_given in given.items() if is_given]
    if words:
        raise UsageError(
            f"{', '.join(words)} cannot be had with --cluster, which writes Parquet files alone: "
            "leave it out, or read the photos that matter without --cluster."
        )


def _refuse_file(out: str) -> None:
    if is_database_address(out):
        raise UsageError("--cluster writes a folder of Parquet files, not a database: name a folder with --out.")
    if Path(out).suffix.lower() in (".json", ".jsonl", ".csv", ".parquet"):
        raise UsageError(
            f"--cluster writes a folder of Parquet files, and {out} is named like one file: name a folder."
        )
