"""Work on many photos that can be stopped and gone on with: a line of JSON for each finished one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dogmood.errors import UsageError
from dogmood.lab.progress import track

Row = dict[str, Any]
T = TypeVar("T")


class Journal:
    """Finished work, kept in a file that is named by all it depends on.

    Args:
        folder: where the file lies.
        depends: what JSON can hold: work done under other circumstances is not taken.

    Raises:
        UsageError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, depends: Any) -> None:
        digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:12]
        self.path = folder / f"explain-{digest}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path.touch()
        except OSError as error:
            raise UsageError(f"{folder} cannot be written to: {error.strerror}; give another with --work.") from None
        self._done = _read(self.path)

    def each(self, part: str, items: Sequence[T], name: Callable[[T], str], do: Callable[[T], Row]) -> list[Row]:
        """Return what ``do`` makes of each item, doing only what is not yet in the file.

        Args:
            part: what is done; the same item may be in several parts.
            items: what to do it with.
            name: says what an item is called; no two of a part may be called the same.
            do: does it; floats may change in their last digits on their way through JSON, never more.
        """
        for item in track([i for i in items if (part, name(i)) not in self._done], part):
            row = json.loads(json.dumps(do(item)))
            # On a line of its own even where the last write was cut short.
            line = "\n" + json.dumps({"part": part, "name": name(item), "row": row})
            try:
                # Not buffered: written at once, it does not mix with another run's line.
                with self.path.open("ab", buffering=0) as file:
                    file.write(line.encode())
            except OSError as error:
                raise UsageError(
                    f"{self.path} cannot be written: {error.strerror}; what it holds is kept, the same words go on."
                ) from None
            self._done[part, name(item)] = row
        return [self._done[part, name(item)] for item in items]


def _read(path: Path) -> dict[tuple[str, str], Row]:
    done = {}
    for line in path.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
            done[entry["part"], entry["name"]] = entry["row"]
        except (ValueError, KeyError, TypeError):
            continue  # empty, or cut short when the program was stopped
    return done
