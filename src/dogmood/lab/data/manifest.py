"""The labelled photos: one row per photo, split and grouped once and for all."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dogmood.emotions import EMOTIONS
from dogmood.lab import LabError


@dataclass(frozen=True)
class LabelledPhoto:
    """A row of ``manifest.csv``.

    Attributes:
        path: the photo's file.
        split: ``train``, ``valid`` or ``test``.
        label: one of the emotions.
        soft: the share of each emotion in `EMOTIONS` order, summing to 1; one-hot
            where the row has no soft label.
        tier: how far the label can be trusted: ``gold``, ``silver``, ``bronze``,
            ``contested`` or ``web``.
        group: photos of one group show the same scene and never straddle splits.
        source: where the photo was found.
        grey: whether the photo has no colour.
        sha256: the first 16 hex digits of the file's checksum.
    """

    path: Path
    split: str
    label: str
    soft: tuple[float, ...]
    tier: str
    group: str
    source: str
    grey: bool
    sha256: str


@dataclass(frozen=True)
class Box:
    """A pseudo-label of ``boxes.csv``: x0, y0, x1, y1 in pixels of the stored photo."""

    kind: str
    score: float
    corners: tuple[float, float, float, float]


def read_manifest(folder: Path) -> list[LabelledPhoto]:
    """Read ``folder/manifest.csv``; photos lie in ``folder/photos``.

    Raises:
        LabError: the file is absent or a label is not one of the five.
    """
    return [_photo(row, folder) for row in _rows(folder / "manifest.csv")]


def read_boxes(folder: Path) -> dict[str, list[Box]]:
    """Read ``folder/boxes.csv`` into the boxes of each photo's file name."""
    boxes: dict[str, list[Box]] = {}
    for row in _rows(folder / "boxes.csv"):
        if row["kind"] == "none":  # the detector looked and found no head
            continue
        corners = (float(row["x0"]), float(row["y0"]), float(row["x1"]), float(row["y1"]))
        boxes.setdefault(row["photo"], []).append(Box(row["kind"], float(row["score"]), corners))
    return boxes


def checksum(folder: Path, name: str = "manifest.csv") -> str:
    """Return the SHA-256 of the file that names the data."""
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise LabError(f"{path} does not exist: point --data at the folder that holds it.")
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _photo(row: dict[str, str], folder: Path) -> LabelledPhoto:
    label = row["label"]
    if label not in EMOTIONS:
        raise LabError(f"{row['photo']} is labelled {label!r}, which is none of {', '.join(EMOTIONS)}.")
    if row[EMOTIONS[0]]:
        soft = tuple(float(row[emotion]) for emotion in EMOTIONS)
    else:
        soft = tuple(float(emotion == label) for emotion in EMOTIONS)
    return LabelledPhoto(
        path=folder / "photos" / row["photo"],
        split=row["split"],
        label=label,
        soft=soft,
        tier=row["tier"],
        group=row["group"],
        source=row["source"],
        grey=row["grey"] == "1",
        sha256=row["sha256"],
    )
