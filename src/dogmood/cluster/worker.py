"""One worker of the cluster: holds the model, reads one shard after the other."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dogmood import __version__
from dogmood.cluster.connection import ClusterError
from dogmood.cluster.places import Folder, is_storage_address, shown
from dogmood.cluster.shards import Shard, Shards
from dogmood.emotions import EMOTIONS
from dogmood.errors import DogMoodError
from dogmood.files import is_file, is_folder
from dogmood.smoothing import SECONDS
from dogmood.summary import Summary
from dogmood.video import FPS


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
        start: the folder that relative paths start from.
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
    start: str = field(default_factory=lambda: str(Path.cwd()))


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
        self._go_where_paths_start()
        self._out = Folder(job.out)
        if not Shards(self._out).sees(job.run):
            raise ClusterError(
                f"{machine} does not see the folder {shown(job.out)}: name one that all machines share, or storage."
            )
        for place in job.places:
            if not (is_storage_address(place) or is_folder(Path(place)) or is_file(Path(place))):
                raise ClusterError(
                    f"{machine} does not see {place}: name a folder that all machines share, or storage."
                )
        from dogmood.cluster.shard_work import ShardWork

        self._work = ShardWork(_model_of(job), job.places, job.workers, job.fps, job.smooth)

    def _go_where_paths_start(self) -> None:
        if all(is_storage_address(path) or Path(path).is_absolute() for path in (*self._job.places, self._job.out)):
            return
        try:
            os.chdir(self._job.start)
        except OSError:
            raise ClusterError(
                f"{socket.gethostname()} does not see the folder {self._job.start}, from which paths start: "
                "name paths that all machines share, or storage."
            ) from None

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
