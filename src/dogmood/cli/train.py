"""``dogmood train``: labelled photos in, a run's folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogmood.cli.extras import needs
from dogmood.cli.stopping import INTERRUPTED
from dogmood.errors import UsageError

if TYPE_CHECKING:
    from dogmood.lab.run import Run

CACHE = Path(".cache/cuts")
Cache = Annotated[Path, typer.Option(help="Where photos that were cut are kept between runs.")]
Data = Annotated[
    Path | None, typer.Option(help="The folder with manifest.csv and photos/ (see dogmood data).", show_default=False)
]


def _option(text: str) -> Any:
    # The defaults stand in one place, dogmood.lab.settings; here None says "not given".
    return typer.Option(help=text, show_default=False)


def train(
    data: Data = None,
    out: Annotated[Path | None, _option("The run's folder; runs/NETWORK-SEED unless said.")] = None,
    network: Annotated[
        str | None,
        _option("shallow_cnn, sequential_cnn, mbcc_cnn, vggnet (default), efficientnet_lite0 or dinov2_s."),
    ] = None,
    emotions: Annotated[str | None, _option("Those to tell apart, by commas; all five unless said.")] = None,
    cut: Annotated[str | None, _option("What the network is shown: head (default), body or photo.")] = None,
    pretrained: Annotated[
        bool | None, typer.Option("--pretrained/--from-scratch", help="Start from weights made elsewhere, if any.")
    ] = None,
    optimizer: Annotated[
        str | None, _option("adadelta, adagrad, adam, amsgrad, adamw, asgd, sgd or sgd_nesterov (default).")
    ] = None,
    rate: Annotated[
        float | None,
        _option("Learning rate at the start; 0.01 for SGD (dinov2_s: adamw with 0.00001, unless either is said)."),
    ] = None,
    momentum: Annotated[float | None, _option("0.9 unless said.")] = None,
    weight_decay: Annotated[float | None, _option("0.0001 unless said.")] = None,
    scheduler: Annotated[
        str | None,
        _option("constant, step, reduce_on_plateau (default), cosine, cosine_warm_restarts or one_cycle."),
    ] = None,
    epochs: Annotated[int | None, _option("300 unless said.")] = None,
    batch: Annotated[int | None, _option("Photos a step, over all devices; 64 unless said.")] = None,
    augmentation: Annotated[str | None, _option("protocol (default) or none.")] = None,
    crops: Annotated[int | None, _option("Crops of each photo in training: 10 (default) or 1.")] = None,
    seed: Annotated[int | None, _option("Of weights, order and augmentation; 0 unless said.")] = None,
    devices: Annotated[int | None, _option("GPUs (or processes) that share each batch; 1 unless said.")] = None,
    precision: Annotated[str | None, _option("mixed (default) or full.")] = None,
    resume: Annotated[Path | None, _option("Go on with the run in this folder.")] = None,
    from_run: Annotated[Path | None, _option("Take the settings of the run in this folder for a new one.")] = None,
    cache: Cache = CACHE,
) -> None:
    """Train a network on labelled photos, by the protocol unless told otherwise."""
    given = {
        "data": str(data) if data else None,
        "network": network,
        "emotions": emotions,
        "cut": cut,
        "pretrained": pretrained,
        "optimizer": optimizer,
        "rate": rate,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "scheduler": scheduler,
        "epochs": epochs,
        "batch": batch,
        "augmentation": augmentation,
        "crops": crops,
        "seed": seed,
        "devices": devices,
        "precision": precision,
    }
    with needs("lab"):
        from dogmood.lab.fit import train as fit

        run = _resumed(resume, given, out, from_run) if resume else _new(given, out, from_run)
        try:
            progress = fit(run, cache, str(data) if resume and data else None)
        except KeyboardInterrupt:
            typer.echo(f"Stopped: dogmood train --resume {run.folder} goes on after the last epoch kept.", err=True)
            raise typer.Exit(INTERRUPTED) from None
    best = progress.best
    typer.echo(
        f"{run.folder}: best validation accuracy {best.valid_accuracy:.4f} at epoch {best.epoch} of {progress.epochs}; "
        f"next: dogmood test {run.folder}"
    )


def _new(given: dict[str, Any], out: Path | None, from_run: Path | None) -> Run:
    from dogmood.lab.run import Run
    from dogmood.lab.settings import settings_of

    settings = settings_of(given, Run.open(from_run).settings if from_run else None)
    return Run.create(out or Path("runs") / f"{settings.network}-{settings.seed}", settings)


def _resumed(folder: Path, given: dict[str, Any], out: Path | None, from_run: Path | None) -> Run:
    from dogmood.lab.run import Run

    changed = [name for name, value in given.items() if value is not None and name != "data"]
    if changed or out or from_run:
        other = ", ".join(f"--{name.replace('_', '-')}" for name in changed) or "--out and --from-run"
        raise UsageError(f"A run goes on as it began: leave out {other}, or start a new one with --from-run {folder}.")
    return Run.open(folder)
