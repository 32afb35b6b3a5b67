"""``dogmood test``: a run's folder in, its figures on held-out photos out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dogmood.cli.extras import needs
from dogmood.cli.train import CACHE, Cache, Data


def measure(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    cache: Cache = CACHE,
) -> None:
    """Measure a run on its test photos by ten-crop averaging; figures go to RUN/test.json, plots to RUN/plots."""
    with needs("lab"):
        from dogmood.lab.measure_run import measure_run
        from dogmood.lab.run import Run

        figures = measure_run(Run.open(run), cache, str(data) if data else None)
    if json:
        from json import dumps

        typer.echo(dumps(figures))
        return
    _print(figures)
    typer.echo(f"{run}: test.json and plots; next: dogmood report {run}")


def _print(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from dogmood.lab.evaluation import OTHER_SPLITS

    console = Console()
    whole = Table(title=f"{figures['n']} test photos, ten crops each")
    for column in ("", "value", "95 % interval"):
        whole.add_column(column, justify="left" if not column else "right")
    for name in ("accuracy", "macro F1", "ECE before", "ECE", "Brier"):
        low, high = figures[name]["interval"]
        whole.add_row(name, f"{figures[name]['value']:.4f}", f"{low:.4f} to {high:.4f}")
    for split, title in OTHER_SPLITS.items():
        other = figures["other splits"][split]
        low, high = other["interval"]
        whole.add_row(f"{title} (n {other['n']})", f"{other['value']:.4f}", f"{low:.4f} to {high:.4f}")
    console.print(whole)
    each = Table(title="Rows: label; columns: reading")
    for column in ("", "n", "precision", "recall", *figures["emotions"]):
        each.add_column(column, justify="right" if column else "left")
    for (emotion, scores), counts in zip(figures["by emotion"].items(), figures["confusion"], strict=True):
        known = (scores[name]["value"] for name in ("precision", "recall"))
        shares = ("-" if value is None else f"{value:.3f}" for value in known)
        each.add_row(emotion, str(scores["n"]), *shares, *map(str, counts))
    console.print(each)
