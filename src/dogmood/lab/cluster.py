"""The runs of a sweep on a Ray cluster, through Ray Tune."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dogmood.cluster.connection import connected
from dogmood.errors import DogMoodError
from dogmood.lab import LabError
from dogmood.lab.sweep import Cell, run_cell

_LOSSES = 3
"""How often a run is begun anew, from its last epoch, when its worker is lost."""


def run_on_cluster(cells: Sequence[Cell], out: Path, cache: Path, address: str) -> None:
    """Run every cell somewhere on the cluster.

    Args:
        cells: the runs that are left to do.
        out: the sweep's folder, under the same path on every machine.
        cache: where cut photos are kept, on each machine.
        address: of the cluster, as ``ray.init`` takes it; ``local`` starts one here.

    Raises:
        UsageError: Ray is not installed.
        ClusterError: the cluster cannot be reached.
        LabError: a run failed; the others finish first.
    """
    with connected(address) as ray:
        from ray import tune

        out, cache = out.resolve(), cache.resolve()

        def trial(config: dict[str, Any]) -> dict[str, str]:
            try:
                run_cell(cells[config["cell"]], out, cache)
            except DogMoodError as error:
                # Not raised: to run it again, as after the loss of a worker, would change nothing.
                return {"problem": str(error)}
            return {"problem": ""}

        resources = ray.cluster_resources()
        tuner = tune.Tuner(
            tune.with_resources(trial, {"cpu": 1, "gpu": min(1, resources.get("GPU", 0))}),
            param_space={"cell": tune.grid_search(list(range(len(cells))))},
            run_config=tune.RunConfig(
                name="ray",
                storage_path=str(out),
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=_LOSSES),
            ),
        )
        results = tuner.fit()
    ended = [
        (cells[(result.config or {"cell": 0})["cell"]], _problem(result))
        for result in (results[i] for i in range(len(results)))
    ]
    failed = [(cell, problem) for cell, problem in ended if problem]
    if failed:
        raise LabError(f"{len(failed)} of {len(cells)} runs failed, {failed[0][0].folder} first: {failed[0][1]}")


def _problem(result: Any) -> str:
    return str(result.error or (result.metrics or {}).get("problem", ""))
