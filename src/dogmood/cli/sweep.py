"""``dogmood sweep``: one setting varied, all others constant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogmood.cli.extras import needs
from dogmood.cli.stopping import INTERRUPTED
from dogmood.cli.train import CACHE, Cache, Data
from dogmood.errors import UsageError

if TYPE_CHECKING:
    from dogmood.lab.settings import RunSettings
    from dogmood.lab.sweep_table import Row


def sweep(
    axis: Annotated[str, typer.Argument(help="optimizers, schedulers, or SETTING=VALUE,VALUE,...", show_default=False)],
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option(help="The sweep's folder; sweeps/AXIS unless said.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option(help="How often each value is run.")] = 3,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="SETTING=VALUE that all runs share; may be repeated.", show_default=False),
    ] = None,
    from_run: Annotated[
        Path | None, typer.Option(help="What all runs share, from this run's folder.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs side by side; 0 takes as many as fit on the device.")] = 0,
    cluster: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster to run on; 'local' starts one.", show_default=False)
    ] = None,
    cache: Cache = CACHE,
) -> None:
    """Vary one thing and compare: validation and ten-crop test, mean and spread over seeds.

    Repeat the same words to go on with a sweep that was stopped.
    """
    with needs("lab"):
        from dogmood.lab.sweep import RunsFailedError, plan
        from dogmood.lab.sweep import sweep as run_all

        folder = out or Path("sweeps") / axis.partition("=")[0]
        base, named = _base(axis, data, settings or [], from_run)
        cells = plan(axis, base, seeds, named)
        try:
            rows = run_all(cells, folder, cache, jobs, cluster)
        except KeyboardInterrupt:
            typer.echo(f"Stopped: what was done is kept in {folder}; the same words go on.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except RunsFailedError as error:
            _print(axis, error.rows)
            raise
        _print(axis, rows)
        typer.echo(f"{folder}: sweep.json, table.md and plot.svg; next: dogmood report {folder}")


def _base(axis: str, data: Path | None, words: list[str], from_run: Path | None) -> tuple[RunSettings, set[str]]:
    """Return what all runs share, and which of it was named by ``--set``."""
    from dogmood.lab.run import Run
    from dogmood.lab.settings import settings_of
    from dogmood.lab.sweep import typed, varied

    given: dict[str, Any] = {}
    own = varied(axis)
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--set {word} sets nothing: write SETTING=VALUE.")
        name = name.strip().replace("-", "_")
        if axis == "optimizers" and name == "rate":
            raise UsageError(
                "In this sweep each optimizer starts from its own rate: leave --set rate out, "
                "or vary the rate of one: dogmood sweep rate=VALUE,VALUE --set optimizer=NAME."
            )
        if name in own:
            raise UsageError(
                f"This sweep gives {name} values of its own: leave --set {word} out, or vary something else alone: "
                f"dogmood sweep SETTING=VALUE,VALUE --set {word}."
            )
        if name in given:
            raise UsageError(f"--set gives {name} twice: leave one out.")
        given[name] = typed(name, value.strip())
    named = set(given)
    given["data"] = str(data) if data else None
    return settings_of(given, Run.open(from_run).settings if from_run else None), named


def _print(axis: str, rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Accuracy by {axis.partition('=')[0]}, in per cent")
    table.add_column("value")
    for column in ("validation", "ten-crop test", "seeds"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*row.shown())
    Console().print(table)
