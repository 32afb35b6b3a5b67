"""A million photos on a cluster: what one worker of one core takes, and what a million come to.

Each model is measured in a process of its own that is kept to one core and does what a
worker of a cluster does (`dogmood.cluster.worker.ShardReader`), Ray's modules loaded:
shards of the photos are fetched, unpacked, read and written as Parquet files, here from
and to files of this machine.  Measured are processor time per photo, over all threads, which
is what one core takes whether or not others use the machine; the same until a worker has
its model; its peak memory; what a shard takes besides its photos; and the sizes of photos
and rows.  The time by the clock is printed beside it: on an idle machine both are alike.
What follows from these is arithmetic: it leaves out what Ray takes to start, and
assumes that photos come as fast as --bandwidth says.  The price of an hour of a core is
yours to name.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from common import print_line, rounded

HOUR = 3600.0


@dataclass(frozen=True)
class Figures:
    """What was measured of one model.

    Attributes:
        seconds: of one core per photo, as processor time: the median of the rounds.
        start: processor time until a worker is ready: imports, and the model loaded.
        memory: most MB (10^6 bytes) that a worker held.
        shard: seconds that a shard of `MOST_PHOTOS` takes besides its photos.
        photo: mean bytes of a photo's file.
        row: bytes of Parquet per photo, with a row for each dog.
        file: bytes of Parquet per shard besides.
    """

    seconds: float
    start: float
    memory: float
    shard: float
    photo: float
    row: float
    file: float


@dataclass(frozen=True)
class Work:
    """What shall be done, and with what.

    Attributes:
        photos: how many.
        cores: workers, one a core.
        machine: cores of a machine.
        price: of an hour of a core.
        bandwidth: Gbit per second that the storage gives to all machines together.
    """

    photos: int
    cores: int
    machine: int
    price: float
    bandwidth: float


@dataclass(frozen=True)
class Outcome:
    """What the work comes to; GB are 10^9 bytes.

    Attributes:
        core_hours: of computing.
        hours: until the last shard is there.
        waits: whether the network sets the pace, not the cores.
        machines: how many.
        cost: of all cores for all hours.
        gbit: per second that the cores ask for together.
        photos_gb: read from storage, once.
        readings_gb: written.
        shards: files that are written.
        memory_gb: that the workers of a machine hold at most.
    """

    core_hours: float
    hours: float
    waits: bool
    machines: int
    cost: float
    gbit: float
    photos_gb: float
    readings_gb: float
    shards: int
    memory_gb: float


def work_out(figures: Figures, work: Work) -> Outcome:
    """Return what so many photos come to, shared out in shards as `dogmood.cluster.run.prepare` does it."""
    from dogmood.cluster.run import photos_per_shard

    size = photos_per_shard(work.photos, work.cores)
    shards = math.ceil(work.photos / size)
    one_shard = size * figures.seconds + figures.shard
    # Cores take whole shards: the last ones keep some waiting.
    computing = figures.start + math.ceil(shards / work.cores) * one_shard
    fetching = work.photos * figures.photo * 8 / 1e9 / work.bandwidth
    hours = max(computing, fetching) / HOUR
    return Outcome(
        core_hours=(work.photos * figures.seconds + shards * figures.shard + work.cores * figures.start) / HOUR,
        hours=hours,
        waits=fetching > computing,
        machines=math.ceil(work.cores / work.machine),
        cost=hours * work.cores * work.price,
        gbit=work.cores * figures.photo * 8 / 1e9 / figures.seconds,
        photos_gb=work.photos * figures.photo / 1e9,
        readings_gb=(work.photos * figures.row + shards * figures.file) / 1e9,
        shards=shards,
        memory_gb=min(work.cores, work.machine) * figures.memory / 1e3,
    )


class Worker:
    """A worker of a cluster, in this process."""

    def __init__(self, model: str, photos: Sequence[str], threads: int) -> None:
        import ray.data  # noqa: F401  (which a worker has loaded)

        from dogmood.cluster.run import prepare
        from dogmood.cluster.worker import Job, ShardReader

        self.place = tempfile.TemporaryDirectory()
        self.out = Path(self.place.name, "out")
        folder = str(Path(photos[0]).parent)
        job = Job((folder,), str(self.out), model, workers=threads)
        self._read = ShardReader(prepare(job, photos, False, 1).job)
        self.start = time.process_time()

    def seconds(self, number: int, photos: Sequence[str]) -> tuple[float, float]:
        """Read photos into the shard of that number; return processor time and time by the clock for each."""
        begin = time.process_time(), time.perf_counter()
        (answer,) = self._read({"shard": [number], "sources": [json.dumps(photos)]})["answer"]
        if problem := json.loads(answer)["problem"]:
            sys.exit(problem)
        return (time.process_time() - begin[0]) / len(photos), (time.perf_counter() - begin[1]) / len(photos)

    def size(self, number: int) -> int:
        """Return the bytes of a shard's file."""
        return (self.out / f"readings-{number:06d}.parquet").stat().st_size


def measure(model: str, photos: Sequence[str], rounds: int, threads: int) -> dict[str, Any]:
    """Return the figures of a worker in this process."""
    worker = Worker(model, photos, threads)
    worker.seconds(0, photos)  # to warm up
    processor, clock = zip(*(worker.seconds(0, photos) for _ in range(rounds)), strict=True)
    unit = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    # A file for each photo says what a file holds besides rows.
    for i, photo in enumerate(photos, 1):
        worker.seconds(i, [photo])
    together, alone = worker.size(0), sum(worker.size(i) for i in range(1, len(photos) + 1))
    file = (alone - together) / (len(photos) - 1)
    figures = Figures(
        seconds=statistics.median(processor),
        start=worker.start,
        memory=memory,
        shard=shard_seconds(model, photos),
        photo=statistics.fmean(Path(photo).stat().st_size for photo in photos),
        row=(together - file) / len(photos),
        file=file,
    )
    worker.place.cleanup()
    return {"figures": asdict(figures), "seconds_by_round": rounded(processor), "by_the_clock": rounded(clock)}


def shard_seconds(model: str, photos: Sequence[str], times: int = 5) -> float:
    """Return what a full shard takes besides reading its photos: it is begun, written and ended."""
    from dogmood import DogMood
    from dogmood.cluster.places import Folder
    from dogmood.cluster.shards import MOST_PHOTOS, Attempt, Shard, Shards

    few = [replace(reading, mask=None) for reading in DogMood(model, threads=1).read_many(list(photos))]
    readings = [few[i % len(few)] for i in range(MOST_PHOTOS)]
    each = []
    with tempfile.TemporaryDirectory() as place:
        shards = Shards(Folder(place))
        for number in range(times):
            shard = Shard(number, tuple(photos))
            begin = time.perf_counter()
            attempt = Attempt(shards.folder, shard)
            shards.write(shard, readings)
            attempt.end()
            each.append(time.perf_counter() - begin)
    return statistics.median(each)


def measured(model: str, photos: Sequence[Path], rounds: int, threads: int) -> dict[str, Any]:
    """Measure a model in a process of its own, kept to one core."""
    words = ["--worker", model, "--rounds", str(rounds), "--threads", str(threads), *map(str, photos)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(f"The worker of {model} left with {done.returncode}.")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def keep_to_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, numbers to the right."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def measured_table(models: dict[str, Figures]) -> str:
    def row(name: str, form: str, key: str, per: float = 1) -> list[str]:
        return [name, *(format(getattr(figures, key) / per, form) for figures in models.values())]

    rows = [
        row("seconds of one core per photo", ".3f", "seconds"),
        row("seconds until a worker has its model", ".2f", "start"),
        row("peak memory of a worker, MB", ",.0f", "memory"),
        row("seconds per full shard besides its photos", ".3f", "shard"),
        row("a photo's file, kB", ",.1f", "photo", 1e3),
        row("Parquet per photo, bytes", ",.0f", "row"),
        row("Parquet per shard besides, kB", ",.1f", "file", 1e3),
    ]
    return table(["measured", *models], rows)


def worked_out_table(models: dict[str, Figures], works: Sequence[Work]) -> str:
    rows = []
    for model, figures in models.items():
        for work in works:
            o = work_out(figures, work)
            rows.append(
                [
                    model,
                    f"{work.cores:,}",
                    f"{o.machines:,}",
                    f"{o.hours:,.2f}{' (network)' if o.waits else ''}",
                    f"{o.core_hours:,.0f}",
                    f"{o.cost:,.2f}",
                    f"{o.gbit:.3f}",
                    f"{o.memory_gb:.1f}",
                    f"{o.photos_gb:,.0f}",
                    f"{o.readings_gb:.2f}",
                    f"{o.shards:,}",
                ]
            )
    heads = ["model", "cores", "machines", "hours", "core-hours", "cost", "Gbit/s", "GB memory each"]
    return table([*heads, "GB photos", "GB readings", "shards"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photos to measure with")
    parser.add_argument("--count", type=int, default=40, help="how many of them, spread over the folder")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is read; the median counts")
    parser.add_argument("--threads", type=int, default=2, help="photos unpacked side by side, as --workers of read")
    parser.add_argument("--models", default="base,fast", help="shipped models' names")
    parser.add_argument("--million", type=int, default=1_000_000, help="how many photos there shall be")
    parser.add_argument("--cores", default="8,64,512", help="of the clusters to work out")
    parser.add_argument("--machine", type=int, default=8, help="cores of each machine")
    parser.add_argument("--price", type=float, default=0.04, help="of a core for an hour, in your currency")
    parser.add_argument("--bandwidth", type=float, default=10.0, help="Gbit/s that the storage gives in all")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()

    if options.worker:
        keep_to_one_core()
        print(json.dumps(measure(options.worker, options.files, options.rounds, options.threads)))
        return
    if options.photos is None:
        parser.error("--photos FOLDER is needed")
    photos = chosen(options.photos, options.count)
    models = {}
    for model in options.models.split(","):
        answer = measured(model, photos, options.rounds, options.threads)
        models[model] = Figures(**answer["figures"])
        told = {name: round(value, 4) for name, value in answer.pop("figures").items()}
        print_line("million", model=model, photos=len(photos), **answer, **told)
        sys.stdout.flush()  # it takes minutes, and somebody may stop it
    works = [
        Work(options.million, int(cores), options.machine, options.price, options.bandwidth)
        for cores in options.cores.split(",")
    ]
    print(f"\n{measured_table(models)}")
    print(
        f"{options.million:,} photos; machines of {options.machine} cores; assumed: {options.price:g} for a core's "
        f"hour, {options.bandwidth:g} Gbit/s from the storage\n"
    )
    print(worked_out_table(models, works))


def chosen(folder: Path, count: int) -> list[Path]:
    """Return so many photos, evenly spread over the folder's names."""
    from dogmood.folder import photos_of

    found = [photo.path for photo in photos_of([folder]) if photo.problem is None and not photo.is_video]
    if len(found) < max(count, 2):
        sys.exit(f"{folder} holds {len(found)} photos; --count is {count}, and must be at least 2.")
    return [found[i * len(found) // count] for i in range(count)]


if __name__ == "__main__":
    main()
