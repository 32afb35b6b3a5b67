"""The dog that a labelled photo is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.boxes import Box, area
from dogmood.errors import PhotoError
from dogmood.finder import Finder, FoundDog
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.each import each
from dogmood.lab.locking import one_at_a_time
from dogmood.photo import Pixels, open_photo
from dogmood.reading import DogReading

Dog = TypeVar("Dog", FoundDog, DogReading)

_KEEP_EVERY = 200
"""Photos after which what was found is written to disk."""


def largest(dogs: Sequence[Dog]) -> Dog:
    """Return the largest, clearest dog: the one a label is about."""
    return max(dogs, key=lambda dog: area(dog.box) * dog.presence)


class KnownDogs:
    """The dog of each labelled photo, asked of a finder once and kept on disk.

    Args:
        finder: with settings under which every photo yields its likeliest dog, since
            labelled photos are known to show one.  Photos come to it side by side.
        key: what the finder's answers depend on, such as its checksum.
        folder: where answers are kept, one file a finder, photos known by checksum.
    """

    def __init__(self, finder: Finder, key: str, folder: Path) -> None:
        name = hashlib.sha256(f"{key} {finder.settings}".encode()).hexdigest()[:16]
        self._finder = finder
        self._path = folder / f"dogs-{name}.json"

    def of(self, photos: Sequence[LabelledPhoto]) -> list[FoundDog]:
        """Return the dog of each photo; the whole photo where the finder saw none.

        Boxes are in tenths of a pixel, so that a last digit which differs between
        two machines does not make all later work anew.

        Raises:
            LabError: a photo cannot be read.
            UsageError: the folder cannot be written to.
        """
        digests = [photo.digest() for photo in photos]
        make_folder(self._path.parent)
        # Runs side by side ask of the same photos: one looks, the others wait.
        with one_at_a_time(self._path.with_suffix(".lock")):
            clear_leftovers(self._path.parent, self._path.name)
            known = json.loads(self._path.read_text()) if self._path.exists() else {}
            missing = {d: p for d, p in zip(digests, photos, strict=True) if d not in known}
            dogs = each(self._look, list(missing.values()), "Finding dogs")
            for number, (digest, dog) in enumerate(zip(missing, dogs, strict=True), start=1):
                known[digest] = dog
                if number % _KEEP_EVERY == 0 or number == len(missing):
                    with atomic_write(self._path, text=True) as file:
                        json.dump(known, file)
        return [_found(known[digest]) for digest in digests]

    def _look(self, photo: LabelledPhoto) -> list[Any]:
        pixels = open_labelled(photo)
        height, width = pixels.shape[:2]
        dogs = self._finder.find(pixels).dogs
        dog = largest(dogs) if dogs else FoundDog((0.0, 0.0, float(width), float(height)), None, 0.0)
        return [_tenths(dog.box), _tenths(dog.head) if dog.head else None, dog.presence]


def open_labelled(photo: LabelledPhoto) -> Pixels:
    """Return the pixels of a labelled photo.

    Raises:
        LabError: it cannot be read.
    """
    try:
        return open_photo(photo.path).pixels
    except PhotoError as error:
        raise LabError(f"{error} Run `dogmood data check` to list all such photos.") from None


def make_folder(folder: Path) -> None:
    """Make a cache's folder.

    Raises:
        LabError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"The cache {folder} cannot be made: {error.strerror}; give another with --cache.") from None


def _tenths(box: Box) -> list[float]:
    return [round(edge, 1) for edge in box]


def _found(kept: Sequence[Any]) -> FoundDog:
    box, head, presence = kept
    return FoundDog(tuple(box), tuple(head) if head else None, presence)
