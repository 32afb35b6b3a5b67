"""The labelled photos: one row per photo, split and grouped once and for all."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dogmood.atomic import atomic_write
from dogmood.emotions import EMOTIONS
from dogmood.files import inside
from dogmood.lab import LabError

COLUMNS = (
    "photo", "split", "label", "tier", "group", *EMOTIONS,
    "source", "width", "height", "grey", "sha256", "dog", "video",
)  # fmt: skip
"""What `write_rows` writes; ``photo`` and ``label`` are all that a manifest needs."""

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class LabelledPhoto:
    """A row of ``manifest.csv``.

    Attributes:
        path: the photo's file.
        split: ``train``, ``valid`` or ``test``; empty before the photos are split.
        label: one of the emotions.
        soft: the share of each emotion in `EMOTIONS` order, summing to 1; one-hot
            where the row has no soft label.
        tier: how far the label can be trusted: ``gold``, ``silver``, ``bronze``,
            ``contested`` or ``web``.
        group: photos of one group show the same scene and never straddle splits;
            empty before the photos are split.
        source: where the photo was found.
        grey: whether the photo has no colour.
        name: what the row calls the photo: its path within ``photos``, with ``/``.
        dog: which dog it shows, where known.
        video: which video it comes from, where known.
        sha256: how the SHA-256 of its file began when it was noted, in hex; empty
            where it never was.
    """

    path: Path
    split: str
    label: str
    soft: tuple[float, ...]
    tier: str
    group: str
    source: str
    grey: bool
    name: str
    dog: str = ""
    video: str = ""
    sha256: str = ""

    @property
    def block(self) -> str:
        """What is resampled together with the photo: its group, or itself alone where nobody grouped it.

        Photos that were imported with splits have no groups; taken as one block they
        would give intervals without width.
        """
        return self.group or self.name

    def digest(self) -> str:
        """Return the SHA-256 of the photo's file.

        Raises:
            LabError: the file cannot be opened.
        """
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise LabError(f"{self.path} cannot be opened: {error.strerror}; run `dogmood data check`.") from None


@dataclass(frozen=True)
class Box:
    """A pseudo-label of ``boxes.csv``: x0, y0, x1, y1 in pixels of the stored photo."""

    kind: str
    score: float
    corners: tuple[float, float, float, float]


def read_manifest(folder: Path) -> list[LabelledPhoto]:
    """Read ``folder/manifest.csv``; photos lie in ``folder/photos``.

    Raises:
        LabError: the file is absent, lacks a column, or holds a label or a split
            that is none.
    """
    photos = [_photo(row, folder) for row in read_rows(folder)]
    wrong = sorted({photo.label for photo in photos} - set(EMOTIONS))
    if wrong:
        raise LabError(
            f"{folder / 'manifest.csv'} has labels that are none of {', '.join(EMOTIONS)}: {', '.join(wrong)}; "
            "bring the photos in with `dogmood data import --map WORD=EMOTION`."
        )
    strange = sorted({photo.split for photo in photos} - {"", *SPLITS})
    if strange:
        raise LabError(f"{folder / 'manifest.csv'} has splits that are none of {', '.join(SPLITS)}: {strange[0]}.")
    return photos


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Read the rows of ``folder/manifest.csv`` as they stand.

    Raises:
        LabError: the file is absent, no text, or lacks a column.
    """
    path = folder / "manifest.csv"
    try:
        rows = list(_rows(path))
    except (UnicodeDecodeError, csv.Error):
        raise LabError(f"{path} is no CSV file in UTF-8.") from None
    if not rows:
        raise LabError(f"{path} lists no photos.")
    missing = [name for name in ("photo", "label") if name not in rows[0]]
    if missing:
        raise LabError(f"{path} lacks the column {' and '.join(missing)}.")
    return rows


def write_rows(folder: Path, rows: Iterable[Mapping[str, str]], name: str = "manifest.csv") -> None:
    """Write rows as ``folder/manifest.csv``, complete or not at all; columns of their own are kept.

    Raises:
        UsageError: the folder cannot be written to.
    """
    rows = list(rows)
    columns = list(dict.fromkeys([*COLUMNS, *(column for row in rows for column in row)]))
    with atomic_write(folder / name, text=True) as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)


def read_boxes(folder: Path) -> dict[str, list[Box]]:
    """Read ``folder/boxes.csv`` into the boxes of each photo, by its name in the manifest."""
    boxes: dict[str, list[Box]] = {}
    for row in _rows(folder / "boxes.csv"):
        if row["kind"] == "none":  # the detector looked and found no head
            continue
        corners = (float(row["x0"]), float(row["y0"]), float(row["x1"]), float(row["y1"]))
        boxes.setdefault(row["photo"], []).append(Box(row["kind"], float(row["score"]), corners))
    return boxes


def checksum(folder: Path, name: str = "manifest.csv") -> str:
    """Return the SHA-256 of the file that names the data.

    Raises:
        LabError: the file is absent.
    """
    try:
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise LabError(f"{folder / name} cannot be opened: {error.strerror}.") from None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise LabError(f"{path} does not exist: point --data at the folder that holds it.")
    with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets begin a file with a mark
        for row in csv.DictReader(file):
            # Rows may be longer or shorter than the header says.
            yield {name: value or "" for name, value in row.items() if name is not None}


def photo_path(folder: Path, name: str) -> Path:
    """Return the path of a photo that a manifest names.

    Raises:
        LabError: the name leads out of ``folder/photos``.
    """
    try:
        return inside(folder / "photos", name)
    except ValueError:
        raise LabError(
            f"{folder / 'manifest.csv'} names the photo {name[:200]!r}, which does not lie in {folder / 'photos'}."
        ) from None


def _photo(row: Mapping[str, str], folder: Path) -> LabelledPhoto:
    return LabelledPhoto(
        path=photo_path(folder, row["photo"]),
        split=row.get("split") or "",
        label=row["label"],
        soft=_soft(row, folder),
        tier=row.get("tier") or "gold",
        group=row.get("group") or "",
        source=row.get("source") or "",
        grey=row.get("grey") == "1",
        name=row["photo"],
        dog=row.get("dog") or "",
        video=row.get("video") or "",
        sha256=(row.get("sha256") or "").strip().lower(),
    )


def _soft(row: Mapping[str, str], folder: Path) -> tuple[float, ...]:
    if not row.get(EMOTIONS[0]):
        return tuple(float(emotion == row["label"]) for emotion in EMOTIONS)
    try:
        return tuple(float(row[emotion]) for emotion in EMOTIONS)
    except (KeyError, TypeError, ValueError):
        raise LabError(f"{folder / 'manifest.csv'}: the soft label of {row['photo']} is no five numbers.") from None
