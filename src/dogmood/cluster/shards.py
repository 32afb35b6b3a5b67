"""A folder of Parquet files, written by many machines at once: each complete or absent.

| in the folder | is |
|---|---|
| ``readings-000017.parquet`` | a finished shard |
| ``_plan/000000.jsonl`` | which shard holds which photos, one a line; later runs add files |
| ``_run.json`` | what the readings are made with |
| ``_begun/000017.json`` | who works on a shard, and how often that was begun in this run |
| ``_SUCCESS`` | every shard is there |
| ``.lock``, ``_at_work-*`` | a run is at work (`dogmood.cluster.claim`) |

Since a shard's photos are written down before it is begun, whoever writes it, and however
often, writes the same: no photo is lost, and none stands in two shards.  What begins with
``_`` is left out by programs that read a folder of Parquet files.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogmood.cluster.claim import CLAIM
from dogmood.cluster.places import Folder
from dogmood.errors import UsageError
from dogmood.outputs import parquet_bytes
from dogmood.reading import Reading
from dogmood.stored import RUN, SHARD, SUCCESS

MOST_PHOTOS = 1000
"""Photos in a shard at most: what is read again when a machine is lost."""

_PLAN, _BEGUN = "_plan", "_begun"

_PLANNED = re.compile(r"\d{6,}\.jsonl")

_CAREFUL = 3
"""From this attempt on, a shard's photos are read one by one, and each is named before."""

_BLAMED = 2
"""A photo at which so many attempts ended is not tried again."""


@dataclass(frozen=True)
class Shard:
    """A part of the work.

    Attributes:
        number: from 0.
        sources: its photos, or its one video, as readings call them.
    """

    number: int
    sources: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"readings-{self.number:06d}.parquet"


class Shards:
    """The folder; made by `begin` where a run starts, and by `join` where work is done.

    Args:
        folder: where it is.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def begin(self, made_with: Mapping[str, Any], resume: bool) -> str:
        """Start a run in the folder, or go on with one.

        Args:
            made_with: all that readings depend on, as JSON can hold it.
            resume: go on with what an earlier run left; where there is nothing, begin.

        Returns:
            A text by which machines tell whether they see the same folder.

        Raises:
            UsageError: the folder holds something else, or readings that were made with
                other settings, or shall not be gone on with.
        """
        self.folder.make()
        content = self.folder.read(RUN)
        if content is None:
            if any(not name.startswith((".", CLAIM)) for name in self.folder.names()):
                raise UsageError(f"{self.folder.name} holds something else than shards; name a new folder.")
            content = json.dumps({**made_with, "run": os.urandom(8).hex()}, indent=1).encode()
            self.folder.write(RUN, content)
            return content.decode()
        if not resume:
            raise UsageError(f"{self.folder.name} was begun already: add --resume to go on with it, or name another.")
        self._check(content, made_with)
        self.folder.remove_folder(_BEGUN)
        self.folder.tidy(_PLAN)
        return content.decode()

    def sees(self, run: str) -> bool:
        """Return whether this machine sees the folder that `begin` began."""
        content = self.folder.read(RUN)
        return content is not None and content.decode() == run

    def plan(self, sources: Sequence[str], per_shard: int, alone: Iterable[str] = ()) -> list[Shard]:
        """Write down which shards new photos belong to; return all shards.

        Args:
            sources: the photos that are asked for, and the videos.
            per_shard: photos in a shard at most.
            alone: of the sources, those that get a shard of their own.
        """
        shards = list(self._planned())
        known = {source for shard in shards for source in shard.sources}
        apart = set(alone)
        new = [source for source in sources if source not in known]
        together = [source for source in new if source not in apart]
        parts = [tuple(together[at : at + per_shard]) for at in range(0, len(together), per_shard)]
        parts += [(source,) for source in new if source in apart]
        first = 1 + max((shard.number for shard in shards), default=-1)
        added = [Shard(number, part) for number, part in enumerate(parts, first)]
        if added:
            self.folder.remove(SUCCESS)
            # ASCII alone: names of files may hold what UTF-8 cannot.
            lines = [json.dumps({"shard": shard.number, "sources": shard.sources}) + "\n" for shard in added]
            name = f"{_PLAN}/{len(self._plans()):06d}.jsonl"
            self.folder.write(name, "".join(lines).encode("ascii"))
        return shards + added

    def finished(self) -> set[int]:
        """Return the numbers of the shards that are there."""
        return {int(match[1]) for name in self.folder.names() if (match := SHARD.fullmatch(name))}

    def write(self, shard: Shard, readings: Iterable[Reading]) -> None:
        """Write a shard, complete or not at all.

        Raises:
            UsageError: it cannot be written.
        """
        self.folder.write(shard.file, parquet_bytes(readings))

    def fetch(self, place: Path) -> None:
        """Copy what a report needs of the folder: what the run is, the finished shards, whether it is complete.

        Args:
            place: a folder that is made.

        Raises:
            UsageError: there is no such run, or it cannot be fetched.
        """
        names = self.folder.names()
        if RUN not in names:
            raise UsageError(f"{self.folder.name} holds no readings of a cluster; name a folder that does.")
        place.mkdir()
        for name in names:
            if name in (RUN, SUCCESS) or SHARD.fullmatch(name):
                content = self.folder.read(name)
                if content is not None:
                    (place / name).write_bytes(content)

    def finish(self) -> None:
        """Say that every shard is there, and take away what only the work needed."""
        self.folder.remove_folder(_BEGUN)
        self.folder.write(SUCCESS, b"")
        self.folder.tidy(_PLAN)

    def _plans(self) -> list[str]:
        # A run that was killed as it wrote one leaves a part of it, under another name.
        return [name for name in self.folder.names(_PLAN) if _PLANNED.fullmatch(name)]

    def _planned(self) -> Iterator[Shard]:
        for name in self._plans():
            for line in (self.folder.read(f"{_PLAN}/{name}") or b"").splitlines():
                part = json.loads(line)
                yield Shard(part["shard"], tuple(part["sources"]))

    def _check(self, content: bytes, made_with: Mapping[str, Any]) -> None:
        try:
            before = dict(json.loads(content))
        except (ValueError, TypeError):
            raise UsageError(f"{self.folder.name}/{RUN} is damaged: name a new folder.") from None
        for name, value in json.loads(json.dumps(made_with)).items():
            if before.get(name) != value:
                raise UsageError(
                    f"{self.folder.name} was begun with {name} {_told(before.get(name))}, and this is "
                    f"{_told(value)}: go on with the same, or name another folder."
                )


class Attempt:
    """One attempt at a shard, and what became of those before.

    A worker that is killed is replaced, and its shard read again.  Where that happens
    again and again, one of the photos may be the reason, by taking all memory or by a
    fault in a decoder: the photos are then read one by one, and the one at which reading
    ends each time is left out.

    Attributes:
        number: of this attempt, from 1.
        careful: whether photos are to be read one by one, `reading` called before each.
        blamed: the photos that are not to be tried again.
    """

    def __init__(self, folder: Folder, shard: Shard) -> None:
        self._folder = folder
        self._name = f"{_BEGUN}/{shard.number:06d}.json"
        before = json.loads(folder.read(self._name) or b"{}")
        self.number = 1 + int(before.get("attempt", 0))
        self._ends = Counter(before.get("ends", {}))
        if before.get("reading") is not None:
            self._ends[before["reading"]] += 1
        self.careful = self.number >= _CAREFUL
        self.blamed = {source for source, count in self._ends.items() if count >= _BLAMED}
        self.reading(None)

    def reading(self, source: str | None) -> None:
        """Write down which photo is being read."""
        state = {
            "attempt": self.number,
            "reading": source,
            "ends": self._ends,
            "machine": socket.gethostname(),
            "process": os.getpid(),
        }
        self._folder.write(self._name, json.dumps(state).encode("ascii"))

    def end(self) -> None:
        """Say that the shard is there."""
        self._folder.remove(self._name)


def _told(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
