"""Files wherever they lie: in folders of this machine, or in object storage by address.

An address is what pyarrow's file systems take: ``s3://bucket/photos``, and likewise
``gs``, ``abfs``, ``hdfs`` and ``file``; any other scheme is left to fsspec, where a
package for it is installed.  What stands behind a ``?`` is for the connection, such as
``s3://bucket/photos?region=eu-north-1&endpoint_override=localhost:9000&scheme=http``.
It, and a name and password before an ``@``, never reach a reading.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.errors import UsageError, plainly
from dogmood.folder import VIDEO_SUFFIXES, photos_of
from dogmood.photo import SUFFIXES

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/(?=/)")

_PARTS = "_part"
"""Where files of a remote folder are written before they take their names."""


def is_storage_address(text: str) -> bool:
    """Return whether a text is the address of a file system, not a path of this machine."""
    return _ADDRESS.match(text) is not None


def shown(address: str) -> str:
    """Return an address, or a path, without what is for the connection alone."""
    scheme = _ADDRESS.match(address)
    if scheme is None:
        return address
    where, _, _ = address[scheme.end() + 1 :].partition("?")
    host, slash, path = where.partition("/")
    return f"{scheme[0]}/{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


def is_video(source: str) -> bool:
    """Return whether a name says that it is a video."""
    return PurePosixPath(source).suffix.lower() in VIDEO_SUFFIXES


def photos_at(places: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the photos and videos that paths and addresses mean.

    Folders are searched as `dogmood.folder.photos_of` does it, in storage too.

    Args:
        places: files and folders.

    Returns:
        What a reading calls each, without repetition, in order; and a sentence for each
        place in which there is nothing.

    Raises:
        UsageError: an address is none, or its storage cannot be reached.
    """
    found: list[str] = []
    problems: list[str] = []
    for place in places:
        if is_storage_address(place):
            inside = _photos_in_storage(place)
            found += inside
            if not inside:
                problems.append(f"{shown(place)} holds no photos and no videos.")
            continue
        for item in photos_of([Path(place)]):
            if item.problem is None:
                found.append(str(item.path))
            else:
                problems.append(item.problem)
    return list(dict.fromkeys(found)), problems


class Sources:
    """Fetches photos by what readings call them.

    Args:
        places: what was asked for: how an address is connected to stands there.
    """

    def __init__(self, places: Sequence[str]) -> None:
        self._places = [(shown(place), place) for place in places if is_storage_address(place)]

    def fetch(self, source: str) -> bytes:
        """Return the bytes of a file in storage.

        Raises:
            OSError: it is absent, or cannot be fetched.
            UsageError: its address is none.
        """
        system, path = self._find(source)
        # Not decompressed by its name: what a file is, its bytes say.
        with system.open_input_stream(path, compression=None) as stream:
            content: bytes = stream.read()
        return content

    def _find(self, source: str) -> tuple[Any, str]:
        for name, place in self._places:
            if source == name or source.startswith(f"{name}/"):
                system, root = open_address(place)
                return system, root.rstrip("/") + source[len(name) :]
        return open_address(source)


class Folder:
    """A folder that files are written to, complete or absent each.

    Args:
        address: a path of this machine, or an address.

    Attributes:
        name: the same, as messages may show it.
        path: of a folder of files; None in storage.

    Raises:
        UsageError: the address is none, or a package that it needs is missing.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.name = shown(address)
        self._system, root = open_address(address)
        self._root = root.rstrip("/") or "/"
        self.path = Path(self._root) if self._system.type_name == "local" else None

    def make(self) -> None:
        """Make the folder, where it is absent.

        Raises:
            UsageError: it cannot be made.
        """
        try:
            self._system.create_dir(self._root, recursive=True)
        except (OSError, ValueError) as error:
            raise UsageError(f"The folder {self.name} cannot be made: {plainly(error)}.") from None

    def names(self, inside: str = "") -> list[str]:
        """Return the names of the files in the folder, or in a folder of it, sorted.

        Raises:
            UsageError: it cannot be listed.
        """
        from pyarrow import fs

        try:
            infos = self._system.get_file_info(fs.FileSelector(self._path(inside), allow_not_found=True))
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.name} cannot be listed: {plainly(error)}.") from None
        return sorted(info.base_name for info in infos if info.is_file)

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where it is absent.

        Raises:
            UsageError: it cannot be read.
        """
        try:
            with self._system.open_input_stream(self._path(name), compression=None) as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.name}/{name} cannot be read: {plainly(error)}.") from None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file; an older one of that name is replaced when all is written.

        Raises:
            UsageError: it cannot be written.
        """
        path = self._path(name)
        try:
            self._system.create_dir(str(PurePosixPath(path).parent), recursive=True)
            if self.path is not None:
                with atomic_write(Path(path)) as file:
                    file.write(content)
                return
            # Storage would publish half a file, too, when its writer is closed by an error.
            part = self._path(f"{_PARTS}/{uuid.uuid4().hex}")
            self._system.create_dir(self._path(_PARTS))
            with self._system.open_output_stream(part) as stream:
                stream.write(content)
            self._system.move(part, path)
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.name}/{name} cannot be written: {plainly(error)}.") from None

    def write_through(self, name: str, content: bytes) -> None:
        """Write a file at once; who reads it meanwhile may see a part of it.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            with self._system.open_output_stream(self._path(name)) as stream:
                stream.write(content)
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.name}/{name} cannot be written: {plainly(error)}.") from None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            self._system.delete_file(self._path(name))

    def remove_folder(self, name: str) -> None:
        """Remove a folder in this one with all that it holds, if it is there."""
        with suppress(OSError):
            self._system.delete_dir(self._path(name))

    def tidy(self, *inside: str) -> None:
        """Remove what writers that were killed have left in the folder, and in those of it that are named."""
        self.remove_folder(_PARTS)
        if self.path is not None:
            for folder in ("", *inside):
                clear_leftovers(self.path / folder)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")


@lru_cache(maxsize=64)
def open_address(address: str) -> tuple[Any, str]:
    """Return pyarrow's file system for an address or a path, and the path within it.

    Raises:
        UsageError: no file system is known for it, or a package is missing.
    """
    try:
        from pyarrow import fs
    except ImportError:
        raise UsageError("Reading on a cluster needs Ray and pyarrow: pip install 'dogmood[cluster]'.") from None
    if not is_storage_address(address):
        return fs.LocalFileSystem(), str(Path(address).absolute())
    try:
        system, path = fs.FileSystem.from_uri(address)
    except (ValueError, OSError, NotImplementedError) as error:
        if "nrecognized filesystem" not in str(error):
            raise UsageError(f"{shown(address)} cannot be opened: {plainly(error)}.") from None
        return _open_with_fsspec(address)
    if not path:
        raise UsageError(f"{shown(address)} cannot be opened: it names no bucket.")
    return system, path


def _open_with_fsspec(address: str) -> tuple[Any, str]:
    from pyarrow import fs

    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(address)
    except (ImportError, ValueError, OSError) as error:
        raise UsageError(f"{shown(address)} cannot be opened: {plainly(error)}.") from None
    return fs.PyFileSystem(fs.FSSpecHandler(system)), path


def _photos_in_storage(place: str) -> list[str]:
    from pyarrow import fs

    name = shown(place)
    system, root = open_address(place)
    try:
        if system.get_file_info(root).is_file:
            return [name]
        files = system.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be listed: {plainly(error)}.") from None
    within = root.rstrip("/") + "/"
    inside = sorted(info.path.removeprefix(within) for info in files if info.is_file)
    return [f"{name}/{path}" for path in inside if _is_wanted(PurePosixPath(path))]


def _is_wanted(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES | VIDEO_SUFFIXES
