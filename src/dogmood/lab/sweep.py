"""One thing varied, all others constant: several runs, and a table of what it did."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.errors import DogMoodError, plainly
from dogmood.lab import LabError, plots
from dogmood.lab.data.manifest import checksum
from dogmood.lab.locking import alone_in
from dogmood.lab.optimizers import OPTIMIZERS, default_rate
from dogmood.lab.processes import interrupts_held_back, processes
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


class RunsFailedError(LabError):
    """Some runs of a sweep failed; the others are done.

    Attributes:
        rows: the table of all values.
    """

    def __init__(self, message: str, rows: list[Row]) -> None:
        super().__init__(message)
        self.rows = rows


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


def plan(axis: str, base: RunSettings, seeds: int, named: Collection[str] = ()) -> list[Cell]:
    """Return the runs of a sweep.

    Args:
        axis: one of `PRESETS`, or ``setting=value,value,...``.
        base: what stays constant.
        seeds: how often each value is run, with seeds 0, 1, ...
        named: settings of ``base`` that the user asked for by name: they hold also where
            a value of the axis would bring its own.

    Raises:
        LabError: the axis is none, a value is unknown, or two of them are the same.
    """
    if seeds < 1:
        raise LabError(f"--seeds is {seeds}; it must be at least 1.")
    cells: list[Cell] = []
    asked = {name: getattr(base, name) for name in ("optimizer", "rate") if name in named}
    values: dict[RunSettings, str] = {}
    for overrides in _values(axis):
        # Optimizers are compared each at its own rate; schedules at the one that all share.
        own = {"rate": default_rate(overrides["optimizer"])} if axis == "optimizers" else {}
        settings = settings_of({**asked, **overrides, **own}, base)
        value = " ".join(str(given) for given in overrides.values())
        if settings in values:
            raise LabError(f"Two values of {axis} give the same runs, {values[settings]} and {value}: leave one out.")
        values[settings] = value
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
        LabError: the folder holds another sweep, or another process is at work in it.
        RunsFailedError: runs failed; the others are done, and the next call goes on.
    """
    if jobs < 0:
        raise LabError(f"--jobs is {jobs}; it must be at least 1, or 0 for as many as fit.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"The sweep's folder {out} cannot be made: {error.strerror}; give another --out.") from None
    with alone_in(out):
        clear_leftovers(out)
        return _sweep(cells, out, cache, jobs, cluster)


def _sweep(cells: Sequence[Cell], out: Path, cache: Path, jobs: int, cluster: str | None) -> list[Row]:
    _keep_plan(cells, out)
    left = [cell for cell in cells if not is_done(cell, out)]
    failed: dict[str, str] = {}
    if left and cluster is not None:
        from dogmood.lab.cluster import run_on_cluster

        failed = run_on_cluster(left, out, cache, cluster)
    elif left:
        from dogmood.lab.side_by_side import fitting

        failed = _run_here(left, out, cache, jobs or fitting(left[0].settings, len(left)))
    rows = table(cells, out, failed)
    with atomic_write(out / "sweep.json", text=True) as file:
        json.dump([row.to_dict() for row in rows], file, indent=1)
    with atomic_write(out / "table.md", text=True) as file:
        file.write(as_markdown(rows))
    if reached := [row for row in rows if row.seeds]:
        with atomic_write(out / "plot.svg", text=True) as file:
            file.write(plots.sweep(reached))
    if failed:
        raise RunsFailedError(_why_failed(failed, len(left)), rows)
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


def is_done(cell: Cell, out: Path) -> bool:
    """Say whether a run of a sweep has been trained to its last epoch on the data that is there, and then tested."""
    from dogmood.lab.run import Run

    try:
        run = Run.open(out / cell.folder)
        run.figures()
        return len(run.metrics()) >= cell.settings.epochs and run.data_sha256 == checksum(Path(cell.settings.data))
    except LabError:
        return False  # what is wrong with it is said by the run, if going on does not mend it


def table(cells: Sequence[Cell], out: Path, failed: Collection[str] = ()) -> list[Row]:
    """Return a row for each value, from what its finished runs wrote down.

    Args:
        cells: the plan.
        out: the sweep's folder.
        failed: folders of the runs that are not to be counted.
    """
    from dogmood.lab.run import Run

    rows = []
    for value in dict.fromkeys(cell.value for cell in cells):
        folders = [cell.folder for cell in cells if cell.value == value]
        runs = [Run.open(out / folder) for folder in folders if folder not in failed]
        valid = [max(row.valid_accuracy for row in run.rows()) for run in runs]
        test = [float(run.figures()["accuracy"]["value"]) for run in runs]
        rows.append(
            Row(value, len(runs), _mean(valid), _spread(valid), _mean(test), _spread(test), len(folders) - len(runs))
        )
    return rows


def varied(axis: str) -> set[str]:
    """Return the settings that a sweep gives values of its own.

    Raises:
        LabError: the axis is none.
    """
    if axis == "optimizers":
        return {"optimizer", "scheduler", "rate"}
    return {name for overrides in _overrides(axis) for name in overrides}


def _values(axis: str) -> Iterator[dict[str, Any]]:
    for words in _overrides(axis):
        yield words if axis in PRESETS else {name: typed(name, word) for name, word in words.items()}


def _overrides(axis: str) -> Iterator[dict[str, str]]:
    if axis in PRESETS:
        yield from PRESETS[axis]
        return
    name, equals, values = axis.partition("=")
    if not equals or not values.strip(", "):
        raise LabError(f"{axis!r} says nothing to vary: give {', '.join(PRESETS)}, or SETTING=VALUE,VALUE.")
    name = name.strip().replace("-", "_")
    for value in values.split(","):
        yield {name: value.strip()}


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


def _run_here(cells: Sequence[Cell], out: Path, cache: Path, jobs: int) -> dict[str, str]:
    """Do runs on this machine; return the folder of each that failed, and why."""
    failed: dict[str, str] = {}
    if jobs == 1:
        for cell in track(cells, "Runs"):
            try:
                run_cell(cell, out, cache)
            except DogMoodError as error:
                failed[cell.folder] = str(error)
        return failed
    with processes(jobs) as pool:
        with interrupts_held_back():
            futures = {pool.submit(run_cell, cell, out, cache): cell.folder for cell in cells}
        for future in as_completed(futures):
            try:
                future.result()
            except DogMoodError as error:
                failed[futures[future]] = str(error)
            except BrokenExecutor:
                raise LabError(
                    "A process of the sweep was killed, perhaps for want of memory: repeat the same words with fewer "
                    "--jobs; what was done is kept."
                ) from None
            except Exception as error:
                failed[futures[future]] = plainly(error)
    return failed


def _why_failed(failed: Mapping[str, str], runs: int) -> str:
    names = "|".join(name.replace("_", "-") for name in RunSettings("").to_dict())
    # A run's words are those of `dogmood train`, whose options are settings here.
    whys = [(folder, re.sub(rf"--({names})\b", r"\1", why).rstrip(".")) for folder, why in failed.items()]
    (first, why), *more = whys
    rest = "".join(f"; {folder}: {why}" for folder, why in more)
    return (
        f"{len(failed)} of {runs} runs failed, {first} first: {why}{rest}; the others are done: repeat the same words "
        "to try again, or change a setting with --set or among the values that are varied, and give another --out."
    )


def _keep_plan(cells: Sequence[Cell], out: Path) -> None:
    """Write down what the sweep consists of, or check that it is the one begun here."""
    data = checksum(Path(cells[0].settings.data))
    runs = [{"value": c.value, "folder": c.folder, "settings": c.settings.to_dict()} for c in cells]
    planned = {"data": {"manifest.csv": data}, "runs": json.loads(json.dumps(runs))}
    path = out / PLAN
    try:
        known = json.loads(path.read_text()) if path.exists() else None
    except (OSError, ValueError, RecursionError) as error:
        raise LabError(f"The sweep's folder {out} cannot be used: {plainly(error)}; give another --out.") from None
    if isinstance(known, list):  # of an earlier version, which trusted that the data stayed the same
        known = {"data": planned["data"], "runs": known}
    elif isinstance(known, dict) and known.get("runs") == planned["runs"] and known != planned:
        raise LabError(
            f"{Path(cells[0].settings.data, 'manifest.csv')} has changed since the sweep in {out} was begun: "
            "put it back to go on, or give another --out."
        )
    if known is not None and known != planned:
        raise LabError(f"{out} holds another sweep: repeat its settings to go on with it, or give another --out.")
    if known is None or not path.read_text().startswith("{"):
        with atomic_write(path, text=True) as file:
            json.dump(planned, file, indent=1)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else nan


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
