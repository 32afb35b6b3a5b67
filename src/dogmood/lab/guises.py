"""Training photos in other guises: what a photo may differ in without the dog feeling otherwise.

- **face**: the head alone, as collections of dog faces cut it;
- **backdrop**: the dog in front of another picture, so that the scene cannot decide.

Guises are written to disk as pictures of their own, and found and cut like any photo.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from dogmood.atomic import atomic_write
from dogmood.finder import FoundDog
from dogmood.lab import LabError
from dogmood.lab.altered import WIDEST, face, on_backdrop
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.dogs import make_folder, open_labelled
from dogmood.lab.each import each
from dogmood.photo import Pixels, open_photo

SMALLEST = 32
"""Least side in pixels of a head that is cut out: nothing is learnt from fewer."""

QUALITY = 95


def faces(photos: Sequence[LabelledPhoto], dogs: Sequence[FoundDog], folder: Path) -> dict[int, LabelledPhoto]:
    """Write the face of each photo, with a margin of its own; photos without a head, or with a tiny one, are left out.

    Args:
        photos: the photos.
        dogs: the dog in each.
        folder: for the pictures; those of an earlier call with the same photos and dogs are taken.

    Returns:
        By the place of the photo that it is cut out of.

    Raises:
        LabError: a photo cannot be read, or the folder cannot be made.
    """

    def cut_out(subject: tuple[LabelledPhoto, FoundDog]) -> LabelledPhoto | None:
        photo, dog = subject
        if dog.head is None or min(dog.head[2] - dog.head[0], dog.head[3] - dog.head[1]) < SMALLEST:
            return None
        digest = photo.digest()
        margin = _drawn(digest).uniform(0, WIDEST)
        path = _place(folder, "face", f"{digest} {dog.head} {WIDEST} {QUALITY}")
        if not path.exists():
            _save(path, face(open_labelled(photo), dog.head, margin))
        return replace(photo, path=path)

    made = each(cut_out, list(zip(photos, dogs, strict=True)), "Cutting out faces")
    return {place: photo for place, photo in enumerate(made) if photo is not None}


def on_backdrops(
    photos: Sequence[LabelledPhoto], masks: Sequence[LabelledPhoto], backdrops: Sequence[Path], folder: Path
) -> list[LabelledPhoto]:
    """Write each photo with the dog in front of a picture without one.

    Args:
        photos: the photos.
        masks: what is dog in each: see `dogmood.lab.masks`.
        backdrops: pictures without a dog.
        folder: for the pictures; those of an earlier call with the same arguments are taken.

    Raises:
        LabError: a photo cannot be read, there is no backdrop, or the folder cannot be made.
        PhotoError: a backdrop cannot be read.
    """
    if photos and not backdrops:
        raise LabError("There are no pictures without an animal to put dogs in front of: finder/ must hold some.")

    def change(subject: tuple[LabelledPhoto, LabelledPhoto]) -> LabelledPhoto:
        photo, mask = subject
        digest = photo.digest()
        backdrop = backdrops[int(_drawn(digest).integers(len(backdrops)))]
        path = _place(folder, "backdrop", f"{digest} {mask.path.name} {backdrop.name} {QUALITY}")
        if not path.exists():
            dog = open_labelled(mask)[..., 0].astype(np.float32) / np.float32(255)
            _save(path, on_backdrop(open_labelled(photo), dog, open_photo(backdrop).pixels))
        return replace(photo, path=path)

    return list(each(change, list(zip(photos, masks, strict=True)), "Changing backdrops"))


def _drawn(digest: str) -> np.random.Generator:
    """Return random numbers of a photo's own: no guise depends on what else is in the collection."""
    return np.random.default_rng(int(digest[:16], 16))


def _place(folder: Path, guise: str, depends: str) -> Path:
    make_folder(folder)
    return folder / f"{guise}-{hashlib.sha256(depends.encode()).hexdigest()[:24]}.jpg"


def _save(path: Path, pixels: Pixels) -> None:
    with atomic_write(path) as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY, subsampling=0)
