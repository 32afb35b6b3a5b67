"""How a model reads pictures unlike those it learnt from: ``python -m dogmood.lab.elsewhere``.

Through the same door as any photo of a user's, so that "no dog" is an answer here, and a
wrong one:

- **faces**: the test photos, cut to the head alone as many collections of dog faces are;
- **original**: the validation pictures of the experiment that the project grew from
  (grey, 100 x 100, eight changed copies of each photo, none of them ever trained on),
  all, and those whose photo does not stand in that experiment's own training too.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogmood.lab import LabError
from dogmood.lab.altered import face
from dogmood.lab.command import run
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.data.originals import read_originals
from dogmood.lab.dogs import largest
from dogmood.lab.each import each
from dogmood.lab.intervals import mean_with_interval
from dogmood.lab.measure import WITHOUT_FEAR
from dogmood.lab.progress import track
from dogmood.photo import PhotoSource, open_photo
from dogmood.reader import DogMood
from dogmood.reading import Reading


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, what it shows and what is resampled together with it."""

    source: PhotoSource
    label: str
    group: Hashable


def faces(reader: DogMood, data: Path, split: str) -> list[Picture]:
    """Return the faces of a split's photos, as a reader finds them; photos without one are left out."""

    def face_of(photo: LabelledPhoto) -> Picture | None:
        pixels = open_photo(photo.path).pixels
        dogs = reader.read(pixels).dogs
        head = largest(dogs).head if dogs else None
        return Picture(face(pixels, head), photo.label, photo.block) if head else None

    photos = [photo for photo in read_manifest(data / "emotions") if photo.split == split]
    return [picture for picture in each(face_of, photos, "Finding faces") if picture is not None]


def originals(folder: Path) -> dict[str, list[Picture]]:
    """Return the validation pictures of the original experiment: all, and the clean ones.

    Raises:
        LabError: the folder holds no such manifest.
    """
    found = [original for original in read_originals(folder) if original.picture.split == "valid"]
    pictures = [Picture(o.picture.path, o.picture.label, o.picture.group) for o in found]
    return {
        "all": pictures,
        "not in its training": [p for p, o in zip(pictures, found, strict=True) if not o.leaked],
    }


def figures(reader: DogMood, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Read pictures and say how many were read rightly; "no dog" counts as wrong.

    Raises:
        LabError: a picture cannot be read.
    """
    said = [_emotion(reading) for reading in reader.read_many(p.source for p in track(pictures, "Reading"))]
    labels = np.array([picture.label for picture in pictures])
    hit = np.array([guess == label for guess, label in zip(said, labels, strict=True)])
    groups = [picture.group for picture in pictures]

    def of(chosen: NDArray[np.intp]) -> dict[str, Any]:
        return mean_with_interval(hit[chosen], [groups[i] for i in chosen.tolist()])

    return {
        "n": len(pictures),
        "groups": len(set(groups)),
        "no dog": said.count(None),
        "accuracy": of(np.arange(len(hit))),
        "recall": {e: of(np.flatnonzero(labels == e)) for e in reader.emotions if (labels == e).any()},
    }


def measure_elsewhere(model: str, data: Path, split: str) -> dict[str, Any]:
    """Return a model's figures on pictures unlike its own.

    Args:
        model: a shipped model's name, or a file.
        data: the folder that holds ``emotions/`` and ``original/``.
        split: of the photos whose faces are cut out: ``valid`` or ``test``.
    """
    reader = DogMood(model, side_by_side=os.cpu_count() or 1)
    four = reader.choosing(WITHOUT_FEAR)
    original = originals(data / "original")
    return {
        "model": {"name": reader.model.name, "version": reader.model.version, "sha256": reader.model.sha256},
        "data": {
            "emotions/manifest.csv": checksum(data / "emotions"),
            "original/manifest.csv": checksum(data / "original"),
            "split": split,
        },
        "faces": figures(reader, faces(reader, data, split)),
        "original": {name: figures(four, pictures) for name, pictures in original.items()},
    }


def _emotion(reading: Reading) -> str | None:
    if reading.status == "unreadable":
        raise LabError(str(reading.reason))
    return largest(reading.dogs).emotion if reading.dogs else None


def main() -> None:
    """Run the command line."""
    run(measure_elsewhere, __doc__, "emotions/ and original/")


if __name__ == "__main__":
    main()
