"""Which photos and videos a list of paths means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from dogmood.files import is_folder
from dogmood.photo import SUFFIXES

VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv", ".3gp",
    ".ogv",
})  # fmt: skip
"""Names of files that are read as videos."""


_READ = SUFFIXES | VIDEO_SUFFIXES

_DRAWING = re.compile(rf".+(?:{'|'.join(map(re.escape, sorted(_READ)))})(?:\.dog\d+)?\.(?:png|webm)", re.I | re.DOTALL)
"""What drawings are called: after their photo, with its ending."""


@dataclass(frozen=True, slots=True)
class PhotoPath:
    """A photo or video to be read, or a sentence about why there is none.

    Attributes:
        path: the photo or video, or the folder that was asked for.
        name: a relative name for files made from it: the path within the folder
            that was asked for, below that folder's own name where it was not the only
            path; or the file's own name.  Numbered where another has that name already.
        problem: why there is nothing to read, or None.
    """

    path: Path
    name: Path
    problem: str | None = None

    @property
    def is_video(self) -> bool:
        """Whether the name says that it is a video."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def photos_of(paths: Iterable[Path], drawings: Path | None = None) -> list[PhotoPath]:
    """Return the photos and videos that paths mean.

    Folders are searched with all their subfolders for files named like photos or
    videos (`SUFFIXES`, `VIDEO_SUFFIXES`), in alphabetical order; hidden files are left out, and links
    to folders are not followed.  A folder that cannot be opened is a problem of its own.
    A file that is named itself is taken whatever its name.

    Args:
        paths: files and folders.
        drawings: the folder that pictures of readings are saved to.  What is named like
            one of them is left out there: a drawing of a dog is no photo of it.
    """
    if drawings is not None:
        drawings = drawings.absolute()
    asked = _named_apart([PhotoPath(path, Path(_own_name(path))) for path in paths])
    found: list[PhotoPath] = []
    for item in asked:
        if not is_folder(item.path):
            found.append(item)
            continue
        # What else lies in the folders must not decide on a name: more may come.
        below = item.name if len(asked) > 1 else Path()
        inside = _photos_in(item.path, below, drawings)
        found.extend(inside or [replace(item, problem=_nothing_in(item.path))])
    return _named_apart(found)


def _own_name(path: Path) -> str:
    return path.name if path.name not in ("", "..") else path.resolve().name or "root"


def _named_apart(found: list[PhotoPath]) -> list[PhotoPath]:
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for i, item in enumerate(found):
        # Some file systems take Rex.jpg and rex.jpg for one.
        name, known = item.name, str(item.name).lower()
        while item.problem is None and str(name).lower() in taken:
            numbers[known] = numbers.get(known, 1) + 1
            name = item.name.with_name(f"{item.name.stem}-{numbers[known]}{item.name.suffix}")
        taken.add(str(name).lower())
        if name != item.name:
            found[i] = replace(item, name=name)
    return found


def _photos_in(folder: Path, below: Path, drawings: Path | None) -> list[PhotoPath]:
    photos: list[Path] = []
    closed: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        ours = drawings is not None and Path(where).absolute().is_relative_to(drawings)
        photos += [
            Path(where, name)
            for name in sorted(files)
            if not name.startswith(".")
            and Path(name).suffix.lower() in _READ
            and not (ours and _DRAWING.fullmatch(name))
        ]
    found = [PhotoPath(photo, below / photo.relative_to(folder)) for photo in photos]
    for error in closed:
        shut = Path(error.filename)
        found.append(PhotoPath(shut, below / shut.relative_to(folder), f"{shut} cannot be opened: {error.strerror}."))
    return found


def _nothing_in(folder: Path) -> str:
    return f"{folder} holds no photos (.jpg, .png, .webp, .gif, .bmp, .tiff, .heic) and no videos."
