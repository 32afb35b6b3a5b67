"""The pictures of the experiment that the project grew from: grey, 100 x 100, eight changed copies of each photo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto, read_manifest, read_rows

COPIES = 3
"""Copies of a photo that are learnt from: they differ in mirroring and brightness, which training varies itself."""


@dataclass(frozen=True)
class OriginalPicture:
    """A row of that experiment's ``manifest.csv``.

    Attributes:
        picture: a copy of a photo, its label one of four emotions; copies of one photo are a group.
        leaked: whether the photo stands in both parts, training and validation.
    """

    picture: LabelledPhoto
    leaked: bool


def read_originals(folder: Path) -> list[OriginalPicture]:
    """Read ``folder/manifest.csv``.

    Raises:
        LabError: the folder holds no such manifest.
    """
    try:
        rows = read_rows(folder)
        return [
            OriginalPicture(picture, row["leaked"] != "0")
            for picture, row in zip(read_manifest(folder), rows, strict=True)
        ]
    except (LabError, KeyError):
        raise LabError(f"{folder} holds no manifest.csv of the original experiment.") from None


def originals_to_learn_from(folder: Path) -> list[LabelledPhoto]:
    """Return `COPIES` of each training photo that does not stand among the validation pictures too.

    They are chosen by a hash of their names.

    Raises:
        LabError: the folder holds no such manifest.
    """
    of_photo: dict[str, list[LabelledPhoto]] = {}
    for original in read_originals(folder):
        if original.picture.split == "train" and not original.leaked:
            of_photo.setdefault(original.picture.block, []).append(original.picture)
    return [picture for group in sorted(of_photo) for picture in sorted(of_photo[group], key=_hash)[:COPIES]]


def _hash(picture: LabelledPhoto) -> str:
    return hashlib.sha256(picture.path.name.encode()).hexdigest()
