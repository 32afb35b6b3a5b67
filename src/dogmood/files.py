"""Files and names that come from users: read within bounds, kept inside their folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

_PART = 1 << 20
"""Bytes that a pipe is read by."""


def read_file(path: Path, most: int) -> bytes:
    """Return the bytes of a file, or of a pipe, that has at most so many.

    Raises:
        OSError: it cannot be opened; it is a device; or it is larger: with
            ``strerror`` saying so.
        ValueError: no file can have that name.
    """
    kind = path.stat().st_mode
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):  # without an end, some of them
        raise OSError(errno.EINVAL, "it is a device, not a file")
    with path.open("rb") as file:
        now = os.fstat(file.fileno())
        if stat.S_ISREG(now.st_mode):
            if now.st_size > most:
                raise _too_large(most)
            return file.read()
        data = bytearray()
        while part := file.read(_PART):
            data += part
            if len(data) > most:
                raise _too_large(most)
        return bytes(data)


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; one that cannot even be asked for is none."""
    try:
        return path.is_dir()
    except OSError:  # too long a name, or no permission
        return False


def is_file(path: Path) -> bool:
    """Return whether a path is a file; one that cannot even be asked for is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def not_a_file(mode: int) -> str | None:
    """Return what a path stands for that is no regular file, or None where it is one.

    Args:
        mode: of the path, as `os.stat` gives it.
    """
    kinds = {
        stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    }  # fmt: skip
    return None if stat.S_ISREG(mode) else kinds.get(stat.S_IFMT(mode), "no file")


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a table or an index names, in its folder.

    Names are judged as they are written, for every system alike; a symbolic link that
    lies in the folder is followed, since data sets are often kept as links.

    Args:
        folder: that the name is relative to.
        name: such as ``rex.jpg`` or ``b/rex.jpg``.

    Raises:
        ValueError: the name is empty, absolute, climbs out with ``..``, or is none.
    """
    windows = PureWindowsPath(name)
    parts = (*PurePosixPath(name).parts, *windows.parts)
    if not parts or "\0" in name or ".." in parts or windows.drive or windows.root:
        raise ValueError(f"{name[:200]!r} names no file in its folder")
    return folder / name


def _too_large(most: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {most / 1e6:g} MB")
