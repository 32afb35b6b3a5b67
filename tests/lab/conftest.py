from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.emotions import EMOTIONS

SIDE = 96


def paint(path: Path, colour: tuple[int, int, int], box: tuple[int, int, int, int] | None) -> None:
    """A noisy grey picture with a coloured block where the 'dog' is."""
    random = np.random.default_rng(sum(path.name.encode()))
    pixels = random.integers(90, 110, (SIDE, SIDE, 3), dtype=np.uint8)
    if box:
        x0, y0, x1, y1 = box
        pixels[y0:y1, x0:x1] = colour
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like the real data, with painted pictures: 5 emotions, dogs, cats and nothing."""
    root = tmp_path_factory.mktemp("data")
    _write_emotions(root / "emotions")
    _write_finder(root / "finder")
    _write_original(root / "original")
    return root


def _write_emotions(folder: Path) -> None:
    (folder / "photos").mkdir(parents=True)
    rows, boxes = [], []
    for i in range(42):
        label = EMOTIONS[i % 5]
        name = f"e{i:03d}.png"
        colour = (40 * (i % 5) + 40, 200 - 40 * (i % 5), 60)
        paint(folder / "photos" / name, colour, (20, 24, 80, 88))
        # The last two are photos that nobody has read.
        split = "train" if i >= 40 else "valid" if i % 4 == 1 else "test" if i % 4 == 2 else "train"
        soft = {emotion: 0.8 if emotion == label else 0.05 for emotion in EMOTIONS}
        rows.append(
            {"photo": name, "split": split, "label": label, "tier": "web" if i >= 40 else "gold", "group": f"g{i}"}
            | soft
            | {"source": "painted", "grey": 0, "sha256": f"{i:016x}"}
        )
        boxes.append({"photo": name, "kind": "dog", "score": 0.9, "x0": 20, "y0": 24, "x1": 80, "y1": 88, "by": "us"})
        boxes.append({"photo": name, "kind": "head", "score": 1, "x0": 30, "y0": 24, "x1": 70, "y1": 60, "by": "us"})
    _write(folder / "manifest.csv", rows)
    _write(folder / "boxes.csv", boxes)


def _write_original(folder: Path) -> None:
    """Four copies of each of two training and two validation photos, one of which stands in both parts."""
    (folder / "photos").mkdir(parents=True)
    rows = []
    for photo, split in enumerate(("train", "train", "valid", "valid")):
        for copy in range(4):
            name = f"{split}_{photo}_{copy}.png"
            paint(folder / "photos" / name, (90 + copy, 90 + copy, 90 + copy), (20, 24, 80, 88))
            rows.append(
                {
                    "photo": name,
                    "split": split,
                    "label": "anger",
                    "group": f"{split}-{photo}",
                    "leaked": int(photo in (1, 2)),
                }
            )
    _write(folder / "manifest.csv", rows)


def _write_finder(folder: Path) -> None:
    (folder / "photos").mkdir(parents=True)
    (folder / "masks").mkdir()
    rows = []
    for i in range(60):
        kind = ("dog", "cat", "none")[i % 3]
        name = f"pet_{i}"
        box = None if kind == "none" else (16, 32, 80, 96)
        paint(folder / "photos" / f"{name}.png", (180, 120, 40) if kind == "dog" else (40, 120, 180), box)
        row = {"name": name, "source": "painted", "animal": kind, "width": SIDE, "height": SIDE, "mask": 0}
        if box:
            mask = np.full((SIDE, SIDE), 2, np.uint8)
            mask[32:96, 16:80] = 1
            Image.fromarray(mask).save(folder / "masks" / f"{name}.png")
            row |= {"head_x0": 32, "head_y0": 32, "head_x1": 64, "head_y1": 64, "nose_x": 48, "nose_y": 50, "mask": 1}
        rows.append(row)
    _write(folder / "index.csv", rows)


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, names, restval="")
        table.writeheader()
        table.writerows(rows)
