"""One thing varied, all others constant: several runs, and a table of what it did."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.errors import DogMoodError
from dogmood.lab import LabError, plots
from dogmood.lab.locking import alone_in
from dogmood.lab.optimizers import OPTIMIZERS, default_rate
from dogmood.lab.progress import track
from dogmood.lab.schedulers import SCHEDULERS
from dogmood.lab.settings import RunSettings, settings_of
from dogmood.lab.sweep_table import Row, as_markdown

PLAN = "plan.json"
"""The file in a sweep's folder that says what the sweep consists of."""

DECAYING = "reduce_on_plateau"
"""What "decaying" means in the sweep of optimizers: the paper's best schedule."""

PRESETS: dict[str, list[dict[str, str]]] = {
    "optimizers": [
        {"optimizer": optimizer, "scheduler": scheduler}
        for optimizer in OPTIMIZERS
        for scheduler in ("constant", DECAYING)
    ],
    "schedulers": [{"optimizer": "sgd_nesterov", "scheduler": scheduler} for scheduler in SCHEDULERS],
}
"""The two sweeps of Khaireddin & Chen 2021 (arXiv:2105.03588, sections 5.1 and 5.2)."""


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        value: what is varied, as a row of the table names it.
        folder: the run's, within the sweep's.
        settings: all of the run's.
    """

    value: str
    folder: str
    settings: RunSettings


def plan(axis: str, base: RunSettings, seeds: int) -> list[Cell]:
    """Return the runs of a sweep.

    Args:
        axis: one of `PRESETS`, or ``setting=value,value,...``.
        base: what stays constant.
        seeds: how often each value is run, with seeds 0, 1, ...

    Raises:
        LabError: the axis is none, or a value is unknown.
    """
    if seeds < 1:
        raise LabError(f"--seeds is {seeds}; it must be at least 1.")
    cells = []
    for overrides in _values(axis):
        # Optimizers are compared each at its own rate; schedules at the one that all share.
        own = {"rate": default_rate(overrides["optimizer"])} if axis == "optimizers" else {}
        settings = settings_of({**overrides, **own}, base)
        value = " ".join(str(given) for given in overrides.values())
        for seed in range(seeds):
            cells.append(Cell(value, f"{value.replace(' ', '-')}/seed-{seed}", replace(settings, seed=seed)))
    return cells


def sweep(cells: Sequence[Cell], out: Path, cache: Path, jobs: int = 0, cluster: str | None = None) -> list[Row]:
    """Run what is not done yet of a sweep and return its table.

    Args:
        cells: the plan.
        out: the sweep's folder; on a cluster, one that all machines share.
        cache: where cut photos are kept.
        jobs: how many runs side by side; 0 takes as many as fit on the device.
        cluster: address of a Ray cluster to run on.

    Raises:
        LabError: the folder holds another sweep, another process is at work in it,
            or a run failed; those that finished are kept, and the next call goes on.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"The sweep's folder {out} cannot be made: {error.strerror}; give another --out.") from None
    with alone_in(out):
        clear_leftovers(out)
        return _sweep(cells, out, cache, jobs, cluster)


def _sweep(cells: Sequence[Cell], out: Path, cache: Path, jobs: int, cluster: str | None) -> list[Row]:
    _keep_plan(cells, out)
    left = [cell for cell in cells if not is_done(out / cell.folder)]
    if left and cluster is not None:
        from dogmood.lab.cluster import run_on_cluster

        run_on_cluster(left, out, cache, cluster)
    elif left:
        from dogmood.lab.side_by_side import fitting

        _run_here(left, out, cache, jobs or fitting(left[0].settings, len(left)))
    rows = table(cells, out)
    with atomic_write(out / "sweep.json", text=True) as file:
        json.dump([asdict(row) for row in rows], file, indent=1)
    with atomic_write(out / "table.md", text=True) as file:
        file.write(as_markdown(rows))
    with atomic_write(out / "plot.svg", text=True) as file:
        file.write(plots.sweep(rows))
    return rows


def run_cell(cell: Cell, out: Path, cache: Path) -> None:
    """Train and test one run, going on from where it stood."""
    from dogmood.lab.fit import train
    from dogmood.lab.measure_run import measure_run
    from dogmood.lab.run import Run

    folder = out / cell.folder
    run = Run.open(folder) if (folder / "run.json").exists() else Run.create(folder, cell.settings)
    # The cell knows better than the folder, which may have been begun on another machine.
    train(run, cache, cell.settings.data)
    measure_run(run, cache, cell.settings.data)


def is_done(folder: Path) -> bool:
    """Say whether a run of a sweep has been trained and tested."""
    return (folder / "test.json").exists()


def table(cells: Sequence[Cell], out: Path) -> list[Row]:
    """Return a row for each value, from what its finished runs wrote down."""
    from dogmood.lab.run import Run

    rows = []
    for value in dict.fromkeys(cell.value for cell in cells):
        folders = [out / cell.folder for cell in cells if cell.value == value]
        valid = [max(row.valid_accuracy for row in Run.open(folder).metrics()) for folder in folders]
        test = [json.loads((folder / "test.json").read_text())["accuracy"]["value"] for folder in folders]
        rows.append(Row(value, len(folders), fmean(valid), _spread(valid), fmean(test), _spread(test)))
    return rows


def _values(axis: str) -> Iterator[dict[str, Any]]:
    if axis in PRESETS:
        yield from PRESETS[axis]
        return
    name, equals, values = axis.partition("=")
    if not equals or not values.strip(", "):
        raise LabError(f"{axis!r} says nothing to vary: give {', '.join(PRESETS)}, or SETTING=VALUE,VALUE.")
    name = name.strip().replace("-", "_")
    for value in values.split(","):
        yield {name: typed(name, value.strip())}


def typed(name: str, value: str) -> Any:
    """Return a setting's value, given as a word, as what the setting wants.

    Raises:
        LabError: there is no such setting, or the word is no value of it.
    """
    defaults = {key: value for key, value in RunSettings("").to_dict().items() if key not in ("data", "seed")}
    if name not in defaults:
        raise LabError(f"{name!r} cannot be set here: choose from {', '.join(defaults)}.")
    default = defaults[name]
    if name == "emotions":
        return value.replace("+", ",")
    if isinstance(default, bool):
        if value not in ("true", "false"):
            raise LabError(f"{name} is {value!r}; it can be true or false.")
        return value == "true"
    try:
        return type(default)(value)
    except ValueError:
        raise LabError(f"{name} is {value!r}, which is no number.") from None


def _run_here(cells: Sequence[Cell], out: Path, cache: Path, jobs: int) -> None:
    if jobs == 1:
        for cell in track(cells, "Runs"):
            run_cell(cell, out, cache)
        return
    # A process a run, begun afresh: a GPU's memory is given back when it ends.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        futures = {pool.submit(run_cell, cell, out, cache): cell for cell in cells}
        for future in as_completed(futures):
            error = future.exception()
            if error is not None:
                pool.shutdown(cancel_futures=True)
                raise error if isinstance(error, DogMoodError) else LabError(f"{futures[future].folder}: {error}")


def _keep_plan(cells: Sequence[Cell], out: Path) -> None:
    """Write down what the sweep consists of, or check that it is the one begun here."""
    planned = [{"value": c.value, "folder": c.folder, "settings": c.settings.to_dict()} for c in cells]
    path = out / PLAN
    try:
        known = json.loads(path.read_text()) if path.exists() else None
    except (OSError, ValueError) as error:
        raise LabError(f"The sweep's folder {out} cannot be used: {error}; give another --out.") from None
    if known is None:
        with atomic_write(path, text=True) as file:
            json.dump(planned, file, indent=1)
    elif known != json.loads(json.dumps(planned)):
        raise LabError(f"{out} holds another sweep: repeat its settings to go on with it, or give another --out.")


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
