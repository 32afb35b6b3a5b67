"""The same reading on many machines at once, through Ray Data.

photos -> shards -> workers, each with the model loaded once -> a Parquet file a shard

A worker that is killed is replaced and its shard read again; `shards` says why nothing
is lost and nothing stands twice.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dogmood.bundle import open_bundle, shipped_models
from dogmood.cluster.connection import ClusterError, what_stopped
from dogmood.cluster.places import Folder, is_video, shown
from dogmood.cluster.shards import MOST_PHOTOS, Shard, Shards
from dogmood.cluster.worker import Job, ShardReader
from dogmood.emotions import parse_emotions

_SHARDS_A_WORKER = 4
"""Shards that each worker gets where there are few photos, so that all end together."""

_QUEUED = 2
"""Shards handed to a worker at a time: the one it reads and the next."""


@dataclass(frozen=True)
class ShardDone:
    """One more shard is there.

    Attributes:
        shard: which one.
        summary: what was read, as `Summary.tally` counts it.
        reasons: why photos could not be read, a sentence each.
    """

    shard: Shard
    summary: dict[str, Any]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        job: what workers need.
        shards: all of them, those of earlier runs too.
        left: the shards that are not there yet.
    """

    job: Job
    shards: tuple[Shard, ...]
    left: tuple[Shard, ...]

    @property
    def skipped(self) -> int:
        """How many photos and videos are in finished shards."""
        return sum(len(shard.sources) for shard in self.shards) - sum(len(shard.sources) for shard in self.left)


def prepare(job: Job, sources: Sequence[str], resume: bool, workers: int, per_shard: int | None = None) -> Plan:
    """Open the output folder and write down which shards there shall be.

    Args:
        job: what is to be done.
        sources: the photos and videos, as `dogmood.cluster.places.photos_at` names them.
        resume: go on with what an earlier run left.
        workers: how many there will be.
        per_shard: photos in a shard; as many as suit the work unless given.

    Raises:
        ModelError: the model is absent, damaged or foreign.
        UsageError: an option is wrong, or the folder cannot be used.
    """
    bundle = open_bundle(job.model)
    shipped = job.model in shipped_models()
    job = replace(job, sha256=bundle.sha256, content=None if shipped else Path(job.model).read_bytes())
    made_with = {
        "dogmood": job.version,
        "model": f"{bundle.name} {bundle.version}",
        "sha256": bundle.sha256,
        "emotions": list(parse_emotions(job.emotions)),
        "ten_crop": job.ten_crop,
        "fps": job.fps,
        "smooth": job.smooth,
    }
    out = Shards(Folder(job.out))
    job = replace(job, run=out.begin(made_with, resume))
    size = per_shard or photos_per_shard(len(sources), workers)
    shards = out.plan(sources, size, [source for source in sources if is_video(source)])
    finished = out.finished()
    return Plan(job, tuple(shards), tuple(shard for shard in shards if shard.number not in finished))


def photos_per_shard(photos: int, workers: int) -> int:
    """Return how many photos of so many go into a shard."""
    return min(MOST_PHOTOS, max(1, math.ceil(photos / (_SHARDS_A_WORKER * workers))))


def read_shards(ray: Any, plan: Plan, workers: int) -> Iterator[ShardDone]:
    """Read what is left of a plan.

    Args:
        ray: the module, connected.
        plan: what is to be done.
        workers: how many to begin with; a cluster that grows gets more.

    Yields:
        Each shard when it is there, in whatever order.

    Raises:
        ClusterError: a worker cannot do its work, or the cluster is lost.  What is
            finished is kept.
    """
    by_number = {shard.number: shard for shard in plan.left}
    if by_number:
        try:
            # Closed, else its threads go on after an error.
            with closing(iter(_dataset(ray, plan, workers).iter_rows())) as answers:
                for answer in answers:
                    told = json.loads(answer["answer"])
                    if told["problem"] is not None:
                        raise ClusterError(told["problem"])
                    shard = by_number[int(answer["shard"])]
                    yield ShardDone(shard, told["summary"], tuple(told["reasons"]))
        except ray.exceptions.RayError as error:
            raise ClusterError(f"The work on the cluster stopped: {what_stopped(error)}.") from None
    out = Shards(Folder(plan.job.out))
    missing = {shard.number for shard in plan.shards} - out.finished()
    if missing:
        raise ClusterError(
            f"{len(missing)} shards are not in {shown(plan.job.out)} although they were written: "
            "all machines must see the same folder; --resume reads them again."
        )
    out.finish()


def _dataset(ray: Any, plan: Plan, workers: int) -> Any:
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # As JSON: names of files may hold what Arrow's texts cannot.
    rows = [{"shard": shard.number, "sources": json.dumps(shard.sources)} for shard in plan.left]
    count = min(workers, len(rows))
    return ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        ShardReader,
        fn_constructor_args=(plan.job,),
        batch_size=1,
        num_cpus=plan.job.threads,
        compute=ray.data.ActorPoolStrategy(
            min_size=1, max_size=len(rows), initial_size=count, max_tasks_in_flight_per_actor=_QUEUED
        ),
    )
