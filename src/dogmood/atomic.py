"""Files that are complete or absent, never torn.

What is being written stands beside its place under a hidden name,
``.NAME.xxxxxxxx.dogmood.part``, locked for as long as its writer lives.  A writer that
is killed leaves it there, and `clear_leftovers` takes it away later.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from dogmood.errors import PathTooLongError, UsageError

_SUFFIX = ".dogmood.part"
_RANDOM = r"[a-z0-9_]{8}"
"""What `tempfile.mkstemp` puts into names."""

_UMASK = threading.Lock()

_LONGEST = 200
"""Bytes of a file's name that its temporary name repeats: most file systems take 255."""


@contextmanager
def atomic_write(path: Path, text: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that takes its name, and its permissions, when all is written.

    Args:
        path: the file to be.
        text: open for UTF-8 text instead of bytes.

    Raises:
        PathTooLongError: the system takes no name as long as this.
        UsageError: the folder is absent or cannot be written to.
    """
    try:
        handle, partial = _begun(path)
    except OSError as error:
        raise _cannot_be_written(path, error) from None
    # newline="" lets csv end its own lines.
    form: dict[str, Any] = {"mode": "w", "encoding": "utf-8", "newline": ""} if text else {"mode": "wb"}
    try:
        with _kept_locked(handle):
            with os.fdopen(handle, **form) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.chmod(_permissions(path))
            partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        # A broken pipe is about another file: somebody stopped listening to ours.
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise _cannot_be_written(path, error) from None
        raise


def _permissions(path: Path) -> int:
    """Return what a file may be read and written by: as it was before, else as any new file."""
    # The temporary file is private.
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0o666 & ~_umask()


def _umask() -> int:
    """Return which permissions new files are not given; it can only be read by setting it."""
    # One thread at a time: a second one would take the first one's 0 for the umask, and leave it set.
    with _UMASK:
        umask = os.umask(0)
        os.umask(umask)
    return umask


def clear_leftovers(folder: Path, *names: str) -> None:
    """Remove what killed writers left in a folder; what is still being written stays.

    Where the system has no locks nothing is removed, since nobody can tell.

    Args:
        folder: where to look, without its subfolders.
        names: of the files that were being written; whichever unless given.
    """
    starts = "|".join(re.escape(_stem(name)) for name in names) or r"\..*\."
    leftover = re.compile(f"(?:{starts}){_RANDOM}{re.escape(_SUFFIX)}", re.DOTALL)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if leftover.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _remove_unless_locked(entry.path)


def check_name(path: Path) -> None:
    """Refuse a path that is too long for any file.

    Raises:
        PathTooLongError: the system takes no name as long as this.
    """
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _cannot_be_written(path, error) from None


def lock(handle: int) -> bool:
    """Lock an open file until it is closed.

    Returns:
        False where another process has it.  Where the system or the file system has
        no locks, everybody may have it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _begun(path: Path) -> tuple[int, Path]:
    """Make the temporary file; return its handle, locked where there are locks."""
    check_name(path)  # what is too long should be told now, not when all is written
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_stem(path.name), suffix=_SUFFIX)
        try:
            # Somebody who clears up may have taken it between being made and being locked.
            if lock(handle) and os.fstat(handle).st_nlink:
                return handle, Path(name)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


@contextmanager
def _kept_locked(handle: int) -> Iterator[None]:
    """Keep the lock of a file that is closed inside: it has to last until it is renamed."""
    twin = os.dup(handle) if os.name == "posix" else None
    try:
        yield
    finally:
        if twin is not None:
            os.close(twin)


def _remove_unless_locked(name: str) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name)  # noqa: PTH108  (what scandir gave)
    finally:
        os.close(handle)


def _stem(name: str) -> str:
    """Return what a temporary name begins with."""
    return f".{os.fsencode(name)[:_LONGEST].decode(errors='ignore')}."


def _cannot_be_written(path: Path, error: OSError) -> UsageError:
    kind = PathTooLongError if error.errno == errno.ENAMETOOLONG else UsageError
    return kind(f"{path} cannot be written: {error.strerror or error}.")
