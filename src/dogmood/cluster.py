"""The same reading on many machines at once, through Ray Data.

photos -> shards -> workers, each with the model loaded once -> a Parquet file a shard

A worker that is killed is replaced and its shard read again; `shards` says why nothing
is lost and nothing stands twice.
"""

from __future__ import annotations

import json
import logging
import math
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dogmood import __version__
from dogmood.bundle import open_bundle, shipped_models
from dogmood.emotions import EMOTIONS, parse_emotions
from dogmood.errors import DogMoodError, UsageError
from dogmood.folder import is_file, is_folder
from dogmood.places import Folder, is_address, is_video, shown
from dogmood.shards import MOST_PHOTOS, Shard, Shards
from dogmood.smoothing import SECONDS
from dogmood.summary import Summary
from dogmood.video import FPS

LOCAL = "local"
"""The address that starts Ray on this machine."""

_SHARDS_A_WORKER = 4
"""Shards that each worker gets where there are few photos, so that all end together."""

_QUEUED = 2
"""Shards handed to a worker at a time: the one it reads and the next."""


class ClusterError(DogMoodError):
    """A cluster that cannot be reached, or on which the work cannot go on."""


@dataclass(frozen=True)
class Job:
    """What every worker has to know.

    Attributes:
        places: what was asked for: paths that all machines see, and addresses.
        out: the folder of shards, likewise.
        model: a shipped model's name, or the path of a ``.dogmood`` file, which the
            workers need not see.
        emotions: the emotions to choose from.
        ten_crop: average ten crops of each dog.
        workers: photos fetched and unpacked side by side by each worker.
        threads: cores that each worker computes with.
        fps: of a video, samples a second.
        smooth: of a video, time constant of smoothing in seconds.
        content: the model file's bytes, where it is not a shipped one.
        sha256: of the model file.
        run: what the folder of shards says of the run (`Shards.begin`).
        version: of dogmood, here.
    """

    places: tuple[str, ...]
    out: str
    model: str = "base"
    emotions: str = ",".join(EMOTIONS)
    ten_crop: bool = False
    workers: int = 2
    threads: int = 1
    fps: float = FPS
    smooth: float = SECONDS
    content: bytes | None = field(default=None, repr=False)
    sha256: str = ""
    run: str = ""
    version: str = __version__


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


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a Ray cluster, or start one here, and leave it in the end.

    What Ray itself would print meanwhile is kept from the terminal; its logs have it.

    Args:
        address: as ``ray.init`` takes it; ``local`` starts a cluster here.

    Yields:
        The module ``ray``.

    Raises:
        UsageError: Ray is not installed.
        ClusterError: the cluster cannot be reached.
    """
    # Ray reports on its use over the network unless told otherwise; nothing here does.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What its lower half would print into the user's terminal; errors reach us as exceptions.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
    except ModuleNotFoundError:
        raise UsageError("Work on a cluster needs Ray: pip install 'dogmood[cluster]'.") from None
    ours = not ray.is_initialized()
    try:
        if ours:
            with _muffled():
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise ClusterError(f"The cluster at {address} cannot be reached: {_first_line(error)}.") from None
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield ray
    finally:
        if ours:
            ray.shutdown()


def slots(ray: Any, cores: int) -> int:
    """Return how many workers of so many cores the cluster has room for now.

    Raises:
        ClusterError: for none.
    """
    machines = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    room = sum(int(cpus // cores) for cpus in machines)
    if room == 0:
        raise ClusterError(f"No machine of the cluster has {cores} cores for a worker.")
    return room


def prepare(job: Job, sources: Sequence[str], resume: bool, workers: int, per_shard: int | None = None) -> Plan:
    """Open the output folder and write down which shards there shall be.

    Args:
        job: what is to be done.
        sources: the photos and videos, as `dogmood.places.photos_at` names them.
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
    size = per_shard or min(MOST_PHOTOS, max(1, math.ceil(len(sources) / (_SHARDS_A_WORKER * workers))))
    shards = out.plan(sources, size, [source for source in sources if is_video(source)])
    finished = out.finished()
    return Plan(job, tuple(shards), tuple(shard for shard in shards if shard.number not in finished))


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
            for answer in _dataset(ray, plan, workers).iter_rows():
                told = json.loads(answer["answer"])
                if told["problem"] is not None:
                    raise ClusterError(told["problem"])
                shard = by_number[int(answer["shard"])]
                yield ShardDone(shard, told["summary"], tuple(told["reasons"]))
        except ray.exceptions.RayError as error:
            raise ClusterError(_what_stopped(error)) from None
    out = Shards(Folder(plan.job.out))
    missing = {shard.number for shard in plan.shards} - out.finished()
    if missing:
        raise ClusterError(
            f"{len(missing)} shards are not in {shown(plan.job.out)} although they were written: "
            "all machines must see the same folder; --resume reads them again."
        )
    out.finish()


class ShardReader:
    """A worker: holds the model, and reads one shard after the other.

    Args:
        job: what it has to know.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._problem: str | None = None
        try:
            self._set_up()
        except DogMoodError as error:
            # Told where the first shard is asked for: Ray would start it again for ever.
            self._problem = str(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Read shards.

        Args:
            batch: their numbers (``shard``), and their ``sources`` as JSON.

        Returns:
            Their numbers, and for each an ``answer`` as JSON: ``problem``, why the work
            cannot go on, or None; ``summary`` and ``reasons`` (`ShardDone`).
        """
        shards = [
            Shard(int(number), tuple(json.loads(sources)))
            for number, sources in zip(batch["shard"], batch["sources"], strict=True)
        ]
        return {"shard": [shard.number for shard in shards], "answer": [json.dumps(self._read(s)) for s in shards]}

    def _set_up(self) -> None:
        job = self._job
        machine = socket.gethostname()
        if job.version != __version__:
            raise ClusterError(f"{machine} has dogmood {__version__}, and this is {job.version}: install the same.")
        self._out = Folder(job.out)
        if not Shards(self._out).sees(job.run):
            raise ClusterError(
                f"{machine} does not see the folder {shown(job.out)}: name one that all machines share, or storage."
            )
        for place in job.places:
            if not (is_address(place) or is_folder(Path(place)) or is_file(Path(place))):
                raise ClusterError(
                    f"{machine} does not see {place}: name a folder that all machines share, or storage."
                )
        from dogmood.shard_work import ShardWork

        self._work = ShardWork(_model_of(job), job.places, job.workers, job.fps, job.smooth)

    def _read(self, shard: Shard) -> dict[str, Any]:
        summary = Summary()
        reasons: list[str] = []
        if self._problem is None:
            try:
                self._work.write(shard, self._out, summary, reasons)
            except DogMoodError as error:
                self._problem = str(error)
        return {"problem": self._problem, "summary": summary.tally(), "reasons": reasons}


def _model_of(job: Job) -> Any:
    from dogmood.reader import DogMood

    def load(model: str | Path) -> DogMood:
        return DogMood(model, job.emotions, job.ten_crop, job.threads)

    if job.content is None:
        dogmood = load(job.model)
    else:
        with tempfile.TemporaryDirectory() as place:
            file = Path(place, "model.dogmood")
            file.write_bytes(job.content)
            dogmood = load(file)
    if dogmood.model.sha256 != job.sha256:
        raise ClusterError(f"{socket.gethostname()} has another model {job.model}: install the same dogmood.")
    return dogmood


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


@contextmanager
def _muffled() -> Iterator[None]:
    """Keep from the terminal what is written past Python to the error stream."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _what_stopped(error: Exception) -> str:
    text = str(error)
    if "No module named 'dogmood" in text:
        return f"The machines of the cluster lack dogmood {__version__}: install it on each of them."
    with suppress(AttributeError):
        text = str(error.cause) or text  # type: ignore[attr-defined]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"The work on the cluster stopped: {lines[-1].rstrip('.') if lines else type(error).__name__}."


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
