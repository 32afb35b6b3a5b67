"""Photos that say where a dog is, or that there is none.

The collection has no split of its own.  It is split here, once, by a hash of
each picture's name: 70 % train, 10 % valid, 20 % test within every kind.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogmood.lab import LabError

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class PetPhoto:
    """A row of the finder's ``index.csv``.

    Attributes:
        path: the picture's file.
        name: its name without ending.
        kind: ``dog``, ``cat``, ``none`` (no animal asked for), ``other`` (what
            fooled a collector) or ``unchecked``.
        split: ``train``, ``valid`` or ``test``.
        head: the head box in pixels, or None where it was not annotated.
        nose: the nose in pixels, or None.
        mask_path: the mask's file, or None.
    """

    path: Path
    name: str
    kind: str
    split: str
    head: Corners | None
    nose: tuple[float, float] | None
    mask_path: Path | None

    def mask(self) -> NDArray[np.uint8] | None:
        """Return ``(h, w)``: 1 = animal, 2 = background, 3 = edge (ignore)."""
        if self.mask_path is None:
            return None
        from PIL import Image

        with Image.open(self.mask_path, formats=["PNG"]) as image:
            return np.asarray(image, dtype=np.uint8)


def split_of(name: str) -> str:
    """Return the split of a picture: fixed by its name alone, for ever."""
    bucket = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10
    return "test" if bucket < 2 else "valid" if bucket == 2 else "train"


def read_pets(folder: Path) -> list[PetPhoto]:
    """Read ``folder/index.csv``.

    Raises:
        LabError: the file is absent, or names a picture that is none of the folder's.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise LabError(f"{index} does not exist: point --data at the folder that holds finder/.")
    files = {path.stem: path for path in (folder / "photos").iterdir()}
    with index.open(newline="") as file:
        return [_pet(row, folder, files) for row in csv.DictReader(file)]


def _pet(row: dict[str, str], folder: Path, files: dict[str, Path]) -> PetPhoto:
    name = row["name"]
    if name not in files:
        raise LabError(f"{folder / 'index.csv'} names {name[:200]!r}, which is no picture in {folder / 'photos'}.")
    head = [row[f"head_{edge}"] for edge in ("x0", "y0", "x1", "y1")]
    nose = (row["nose_x"], row["nose_y"])
    mask = folder / "masks" / f"{name}.png"
    return PetPhoto(
        path=files[name],
        name=name,
        kind=row["animal"],
        split=split_of(name),
        head=(float(head[0]), float(head[1]), float(head[2]), float(head[3])) if all(head) else None,
        nose=(float(nose[0]), float(nose[1])) if all(nose) else None,
        mask_path=mask if row["mask"] == "1" and mask.is_file() else None,
    )
