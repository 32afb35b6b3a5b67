"""Runs side by side keep out of each other's way: locks that a kill gives back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dogmood.lab import LabError

LOCK = ".lock"
"""The file in a folder that whoever works there holds."""


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is in the block for the same file.

    Args:
        path: the lock's file.

    Raises:
        LabError: it cannot be made.
    """
    with _held(FileLock(path)):
        yield


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Work in a folder that no other process works in.

    Raises:
        LabError: another does, or the folder cannot be written to.
    """
    try:
        with _held(FileLock(folder / LOCK, blocking=False)):
            yield
    except Timeout:
        raise LabError(f"Another run is at work in {folder}: wait for it, or stop it.") from None


@contextmanager
def _held(lock: FileLock) -> Iterator[None]:
    try:
        lock.acquire()
    except Timeout:
        raise
    except OSError as error:
        raise LabError(f"{Path(lock.lock_file).parent} cannot be written to: {error.strerror or error}.") from None
    try:
        yield
    finally:
        lock.release()
