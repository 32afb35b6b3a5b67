"""The runs of a sweep on a Ray cluster, through Ray Tune."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dogmood.lab import LabError
from dogmood.lab.sweep import Cell, run_cell


def run_on_cluster(cells: Sequence[Cell], out: Path, cache: Path, address: str) -> None:
    """Run every cell somewhere on the cluster.

    Args:
        cells: the runs that are left to do.
        out: the sweep's folder, under the same path on every machine.
        cache: where cut photos are kept, on each machine.
        address: of the cluster, as ``ray.init`` takes it; ``local`` starts one here.

    Raises:
        LabError: Ray is not installed, the cluster cannot be reached, or a run
            failed; the others finish first.
    """
    try:
        import ray
        from ray import tune
    except ModuleNotFoundError:
        raise LabError("A sweep on a cluster needs Ray: pip install 'dogmood[cluster]'.") from None
    try:
        ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise LabError(f"The cluster at {address} cannot be reached: {error}.") from None
    out, cache = out.resolve(), cache.resolve()

    def trial(config: dict[str, Any]) -> None:
        run_cell(cells[config["cell"]], out, cache)

    resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1, "gpu": min(1, resources.get("GPU", 0))}),
        param_space={"cell": tune.grid_search(list(range(len(cells))))},
        run_config=tune.RunConfig(name="ray", storage_path=str(out), verbose=0),
    )
    results = tuner.fit()
    failed = [result for result in (results[i] for i in range(len(results))) if result.error is not None]
    if failed:
        first = cells[(failed[0].config or {"cell": 0})["cell"]]
        raise LabError(f"{len(failed)} of {len(cells)} runs failed, {first.folder} first: {failed[0].error}")
