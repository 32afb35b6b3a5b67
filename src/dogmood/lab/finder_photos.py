"""Which photos the finder learns from: pets, and labelled photos with a detector's boxes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from dogmood.boxes import Box
from dogmood.lab.data.manifest import LabelledPhoto, read_boxes, read_manifest
from dogmood.lab.data.pets import read_pets
from dogmood.lab.finder_targets import Truth
from dogmood.lab.finder_views import FinderPhoto
from dogmood.lab.train_finder import truth_of_labelled, truth_of_pet
from dogmood.photo import FORMATS

LABELLED_FOR_FINDER = 2500
"""Labelled photos that the finder learns from; its weights for presence are fitted on others."""


def finder_photos(data: Path, seed: int) -> list[FinderPhoto]:
    """Return the training photos of which something is known that the finder can learn."""
    boxes = read_boxes(data / "emotions")
    photos = []
    for pet in read_pets(data / "finder"):
        truth = truth_of_pet(pet) if pet.split == "train" else None
        if truth is not None:
            photos.append(_photo(pet.path, truth, pet.head))
    for photo in labelled_for_finder(data, seed):
        known = boxes.get(photo.path.name, [])
        truth = truth_of_labelled(photo, known, *_size(photo.path))
        if truth is not None:
            heads = [box.corners for box in known if box.kind == "head" and box.score > 0]
            photos.append(_photo(photo.path, truth, heads[0] if truth.heads else None))
    return photos


def labelled_for_finder(data: Path, seed: int) -> list[LabelledPhoto]:
    """Choose labelled training photos: all with several dogs, and a random share of the rest."""
    boxes = read_boxes(data / "emotions")
    train = [p for p in read_manifest(data / "emotions") if p.split == "train" and p.tier != "web"]
    several = [p for p in train if sum(b.kind == "dog" for b in boxes.get(p.path.name, [])) > 1]
    rest = [p for p in train if p not in set(several)]
    drawn = np.random.default_rng(seed).permutation(len(rest))[: LABELLED_FOR_FINDER - len(several)]
    return several + [rest[i] for i in sorted(drawn.tolist())]


def _photo(path: Path, truth: Truth, head: Box | None) -> FinderPhoto:
    return FinderPhoto(path, hashlib.sha256(path.read_bytes()).hexdigest(), _size(path), truth, head)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=FORMATS) as image:
        return image.size
