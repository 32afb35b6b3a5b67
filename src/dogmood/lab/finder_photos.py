"""Which photos the finder learns from, and what is known of them: pets, and labelled photos with a detector's boxes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dogmood.lab.data.manifest import Box, LabelledPhoto, checksum, read_boxes, read_manifest
from dogmood.lab.data.pets import PetPhoto, read_pets
from dogmood.lab.finder_targets import Corners, Truth
from dogmood.lab.finder_views import FinderPhoto
from dogmood.lab.nets.finder import DOG, OTHER
from dogmood.photo import FORMATS

LEAST_DOG_SCORE = 0.5
"""A detector's dog box below this score is too doubtful to learn from."""

LABELLED_FOR_FINDER = 2500
"""Labelled photos that the finder learns from; its weights for presence are fitted on others."""


def finder_sources(data: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that says what the finder learns, by name.

    Raises:
        LabError: one is absent.
    """
    files = (("emotions", "manifest.csv"), ("emotions", "boxes.csv"), ("finder", "index.csv"))
    return {f"{folder}/{name}": checksum(data / folder, name) for folder, name in files}


def finder_photos(data: Path, seed: int) -> list[FinderPhoto]:
    """Return the training photos of which something is known that the finder can learn."""
    boxes = read_boxes(data / "emotions")
    photos = []
    for pet in read_pets(data / "finder"):
        truth = truth_of_pet(pet) if pet.split == "train" else None
        if truth is not None:
            photos.append(_photo(pet.path, truth, pet.head))
    for photo in labelled_for_finder(data, seed):
        known = boxes.get(photo.name, [])
        truth = truth_of_labelled(photo, known, *_size(photo.path))
        if truth is not None:
            photos.append(_photo(photo.path, truth, heads_in(known)[0] if truth.heads else None))
    return photos


def labelled_for_finder(data: Path, seed: int) -> list[LabelledPhoto]:
    """Choose labelled training photos: all with several dogs, and a random share of the rest."""
    boxes = read_boxes(data / "emotions")
    train = [p for p in read_manifest(data / "emotions") if p.split == "train" and p.tier != "web"]
    several = [p for p in train if sum(b.kind == "dog" for b in boxes.get(p.name, [])) > 1]
    chosen = set(several)
    rest = [p for p in train if p not in chosen]
    drawn = np.random.default_rng(seed).permutation(len(rest))[: LABELLED_FOR_FINDER - len(several)]
    return several + [rest[i] for i in sorted(drawn.tolist())]


def truth_of_pet(photo: PetPhoto) -> Truth | None:
    """Return what the annotation of a pet photo tells; None where it was never checked."""
    if photo.kind == "unchecked":
        return None
    if photo.kind in ("none", "other"):
        return Truth(dog=False, bodies=(), heads=())
    dog = photo.kind == "dog"
    animal = photo.mask()
    with Image.open(photo.path, formats=FORMATS) as image:
        width, height = image.size
    head = (_shares(photo.head, width, height),) if photo.head else None
    bodies: tuple[Corners, ...] | None = None if dog else ()
    if dog and animal is not None:
        ys, xs = np.nonzero(animal == 1)
        bodies = (_shares((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), width, height),)
    return Truth(
        dog=dog,
        animal=animal,
        species=DOG if dog else OTHER,
        bodies=bodies,
        heads=head,
        head_scored=dog,
    )


def truth_of_labelled(photo: LabelledPhoto, boxes: Sequence[Box], width: int, height: int) -> Truth | None:
    """Return what a detector's boxes tell of a labelled photo; None where they tell too little."""
    dogs = [box for box in boxes if box.kind == "dog" and box.score >= LEAST_DOG_SCORE]
    if not dogs:
        return None
    bodies = tuple(_shares(box.corners, width, height) for box in dogs)
    # With several dogs the one annotated head is not all there is to find.
    found = tuple(_shares(head, width, height) for head in heads_in(boxes)) if len(dogs) == 1 else ()
    return Truth(dog=True, bodies=bodies, heads=found or None, head_sizes=False)


def heads_in(boxes: Sequence[Box]) -> list[Corners]:
    """Return the heads among the boxes of a labelled photo, in pixels."""
    return [box.corners for box in boxes if box.kind == "head" and box.score > 0]


def _photo(path: Path, truth: Truth, head: Corners | None) -> FinderPhoto:
    return FinderPhoto(path, hashlib.sha256(path.read_bytes()).hexdigest(), _size(path), truth, head)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=FORMATS) as image:
        return image.size


def _shares(box: Corners, width: int, height: int) -> Corners:
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height
