"""How a worker of a cluster reads a shard: photos fetched ahead, failures as rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dogmood.cluster.places import Folder, Sources, is_storage_address, is_video
from dogmood.cluster.shards import Attempt, Shard, Shards
from dogmood.errors import DogMoodError, PhotoError, UsageError, VideoError, plainly
from dogmood.photo import Photo, open_photo
from dogmood.reader import DogMood
from dogmood.reading import Reading
from dogmood.summary import Summary


class ShardWork:
    """Reads shards with one loaded model.

    Args:
        dogmood: reads.
        places: what was asked for.
        workers: photos fetched and unpacked side by side.
        fps: of a video, samples a second.
        smooth: of a video, time constant of smoothing in seconds.
    """

    def __init__(self, dogmood: DogMood, places: Sequence[str], workers: int, fps: float, smooth: float) -> None:
        self._dogmood = dogmood
        self._sources = Sources(places)
        self._workers = workers
        self._fps, self._smooth = fps, smooth
        self._lost: list[str] = []

    def write(self, shard: Shard, out: Folder, summary: Summary, reasons: list[str]) -> None:
        """Read a shard and write its file, complete or not at all.

        Args:
            shard: which photos.
            out: the folder of shards.
            summary: counts what is read.
            reasons: takes up why photos could not be read.

        Raises:
            UsageError: the file cannot be written, or no photo can be fetched: where
                the way to the storage is barred, that is no reason to call a thousand
                photos unreadable.
        """
        attempt = Attempt(out, shard)
        try:
            read = list(self._readings(shard, attempt))
        except DogMoodError:
            raise
        except Exception:
            # Something that no photo should be able to cause: find the one that does.
            attempt.careful = True
            read = list(self._readings(shard, attempt))
        if len(shard.sources) > 1 and len(self._lost) == len(shard.sources):
            raise UsageError(f"None of {len(self._lost)} photos can be fetched: {self._lost[0]}")
        video = is_video(shard.sources[0])
        for reading in read:
            if reading.time is not None or not video:  # else the video as a whole
                summary.add(reading)
            if reading.reason is not None:
                reasons.append(reading.reason)
        if video:
            summary.add_video(readable=any(reading.status != "unreadable" for reading in read))
        Shards(out).write(shard, read)
        attempt.end()

    def _readings(self, shard: Shard, attempt: Attempt) -> Iterator[Reading]:
        """Yield the shard's readings without their masks, which would fill the memory."""
        self._lost.clear()
        for reading in self._carefully(shard, attempt) if attempt.careful else self._quickly(shard):
            yield replace(reading, mask=None)

    def _quickly(self, shard: Shard) -> Iterator[Reading]:
        if is_video(shard.sources[0]):
            yield from self._video(shard.sources[0])
            return
        for _, reading in self._dogmood.read_with_photos(shard.sources, False, self._workers, self._open):
            yield reading

    def _carefully(self, shard: Shard, attempt: Attempt) -> Iterator[Reading]:
        for source in shard.sources:
            if source in attempt.blamed:
                yield self._dogmood.unreadable(source, f"{source} cannot be read: each attempt ended its worker.")
                continue
            attempt.reading(source)
            try:
                if is_video(source):
                    yield from self._video(source)
                else:
                    yield self._dogmood.read_photo(self._open(source))
            except PhotoError as error:
                yield self._dogmood.unreadable(source, str(error))
            except Exception as error:
                yield self._dogmood.unreadable(source, f"{source} cannot be read: {plainly(error)}.")
        attempt.reading(None)

    def _open(self, source: Any) -> Photo:
        if not is_storage_address(source):
            return open_photo(Path(source))
        return open_photo(self._fetch(source), source)

    def _fetch(self, source: str) -> bytes:
        try:
            return self._sources.fetch(source)
        except FileNotFoundError:
            raise PhotoError(f"{source} does not exist.") from None
        except (OSError, ValueError) as error:
            problem = f"{source} cannot be fetched: {plainly(error)}."
            self._lost.append(problem)
            raise PhotoError(problem) from None

    def _video(self, source: str) -> Iterator[Reading]:
        from dogmood.footage import Footage

        try:
            with self._video_file(source) as path:
                try:
                    for _, reading in Footage(self._dogmood, path, self._fps, self._smooth):
                        yield replace(reading, source=source, reason=_named(reading.reason, path, source))
                except VideoError as error:
                    yield self._dogmood.unreadable(source, str(_named(str(error), path, source)))
        except PhotoError as error:
            yield self._dogmood.unreadable(source, str(error))

    @contextmanager
    def _video_file(self, source: str) -> Iterator[Path]:
        """Give a video's path; decoders need to go to and fro in it, so it is fetched whole."""
        if not is_storage_address(source):
            yield Path(source)
            return
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, f"video{Path(source).suffix}")
            path.write_bytes(self._fetch(source))
            yield path


def _named(reason: str | None, path: Path, source: str) -> str | None:
    return None if reason is None else reason.replace(str(path), source)
