"""The runs of a sweep on a Ray cluster, through Ray Tune."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dogmood import __version__
from dogmood.cluster.connection import connected, slots, what_stopped
from dogmood.errors import DogMoodError
from dogmood.lab import LabError
from dogmood.lab.data.manifest import checksum
from dogmood.lab.sweep import PLAN, Cell, is_done, run_cell

_LOSSES = 3
"""How often a run is begun anew, from its last epoch, when its worker is lost."""


def run_on_cluster(cells: Sequence[Cell], out: Path, cache: Path, address: str) -> dict[str, str]:
    """Run every cell somewhere on the cluster.

    Args:
        cells: the runs that are left to do.
        out: the sweep's folder, under the same path on every machine; it holds the plan.
        cache: where cut photos are kept, on each machine.
        address: of the cluster, as ``ray.init`` takes it; ``local`` starts one here.

    Returns:
        The folder of each run that failed, and why.

    Raises:
        UsageError: Ray is not installed.
        ClusterError: the cluster cannot be reached, or has no room.
        LabError: what machines did is not to be found here.
    """
    # Workers have a working folder of their own, in which a relative path means another place.
    out, cache = out.resolve(), cache.resolve()
    cells = [replace(c, settings=replace(c.settings, data=str(Path(c.settings.data).resolve()))) for c in cells]
    sweep = (out / PLAN).read_bytes()
    version = __version__
    # Else Tune takes Ctrl-C for itself, and ends as if all were done.
    os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
    with connected(address) as ray:
        from ray import tune

        def trial(config: dict[str, Any]) -> dict[str, str]:
            try:
                run_there(cells[config["cell"]], out, cache, sweep, version)
            except DogMoodError as error:
                # Not raised: to run it again, as after the loss of a worker, would change nothing.
                return {"problem": str(error)}
            return {"problem": ""}

        devices = max(cell.settings.devices for cell in cells)
        slots(ray, devices)  # Tune would wait for room for ever
        gpus = min(devices, ray.cluster_resources().get("GPU", 0))
        tuner = tune.Tuner(
            tune.with_resources(trial, {"cpu": devices, "gpu": gpus}),
            param_space={"cell": tune.grid_search(list(range(len(cells))))},
            run_config=tune.RunConfig(
                name="ray",
                storage_path=str(out),
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=_LOSSES),
            ),
        )
        # A run that lost its worker is begun anew; what Ray tells of it is a traceback.
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
        results = tuner.fit()
    ended = [
        (cells[(result.config or {"cell": 0})["cell"]], _problem(result))
        for result in (results[i] for i in range(len(results)))
    ]
    failed = {cell.folder: problem for cell, problem in ended if problem}
    if lost := [cell.folder for cell in cells if cell.folder not in failed and not is_done(cell, out)]:
        raise LabError(f"{len(lost)} of {len(cells)} runs left nothing in {out}: name one that all machines share.")
    return failed


def run_there(cell: Cell, out: Path, cache: Path, sweep: bytes, version: str) -> None:
    """Do one run on the machine that this is.

    Args:
        cell: the run.
        out: the sweep's folder.
        cache: where cut photos are kept here.
        sweep: what the plan in the sweep's folder holds where the sweep was started.
        version: of dogmood there.

    Raises:
        LabError: this machine is not prepared, or the run failed.
        UsageError: a folder cannot be written to.
    """
    machine = socket.gethostname()
    if version != __version__:
        raise LabError(f"{machine} has dogmood {__version__}, and the sweep's is {version}: install the same.")
    plan = out / PLAN
    if not plan.is_file() or plan.read_bytes() != sweep:
        raise LabError(f"{machine} does not see the folder {out}: name one that all machines share.")
    if not Path(cell.settings.data, "manifest.csv").is_file():
        raise LabError(f"{machine} does not see the photos in {cell.settings.data}: keep them where all machines do.")
    if checksum(Path(cell.settings.data)) != json.loads(sweep)["data"]["manifest.csv"]:
        raise LabError(f"{machine} has other photos in {cell.settings.data}: keep the same there on all machines.")
    run_cell(cell, out, cache)


def _problem(result: Any) -> str:
    if result.error is not None:
        return what_stopped(result.error)
    return str((result.metrics or {}).get("problem", ""))
