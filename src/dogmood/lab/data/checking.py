"""What is wrong with labelled photos: leaks, conflicts, files, likely mislabels."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from dogmood.atomic import atomic_write
from dogmood.emotions import EMOTIONS
from dogmood.errors import PhotoError
from dogmood.lab import LabError
from dogmood.lab.data.manifest import SPLITS, LabelledPhoto, read_manifest
from dogmood.lab.data.near import Looks, joined, look_at, near_pairs
from dogmood.photo import open_photo
from dogmood.picture import save_picture

SUSPECTS = 40
"""The contact sheet shows at most this many."""

_FOLDS = 5
_CELL = 180


@dataclass(frozen=True)
class Suspect:
    """A photo whose label may be wrong.

    Attributes:
        photo: its file name.
        label: what the manifest says.
        likely: what the other photos make of it.
        trust: the probability that they give to its label.
    """

    photo: str
    label: str
    likely: str
    trust: float


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        counts: photos of each emotion in each split (``none`` before there are splits).
        unreadable: a sentence for each photo that cannot be read.
        replaced: a sentence for each photo whose file is not the one that the manifest notes.
        across: groups of near photos that stand in several splits.
        conflicts: groups of near photos that have several labels.
        scarce: emotions with a single photo in a split.
        empty: splits without a photo.
        suspects: likely mislabels, the likeliest first.
    """

    counts: dict[str, dict[str, int]]
    unreadable: list[str]
    replaced: list[str]
    across: list[list[str]]
    conflicts: list[list[str]]
    scarce: list[str]
    empty: list[str]
    suspects: list[Suspect]


def check_photos(folder: Path, seed: int = 0) -> Check:
    """Look for everything that makes figures lie.

    Args:
        folder: holds ``manifest.csv`` and ``photos/``.
        seed: of the folds in which labels are judged by other photos.

    Raises:
        LabError: the manifest is absent or damaged.
    """
    photos = read_manifest(folder)
    looks = look_at([photo.path for photo in photos])
    parts = joined(len(photos), near_pairs(looks))
    near: defaultdict[int, list[LabelledPhoto]] = defaultdict(list)
    for part, photo in zip(parts.tolist(), photos, strict=True):
        near[part].append(photo)
    counts = {split: Counter(p.label for p in photos if (p.split or "none") == split) for split in ("none", *SPLITS)}
    was_split = any(photo.split for photo in photos)
    return Check(
        counts={split: dict(count) for split, count in counts.items() if count},
        unreadable=[_reason(photo) for photo, ok in zip(photos, looks.readable, strict=True) if not ok],
        replaced=[sentence for photo in photos if (sentence := _replaced(photo))],
        across=[_names(same) for same in near.values() if len({p.split for p in same}) > 1],
        conflicts=[_names(same) for same in near.values() if len({p.label for p in same}) > 1],
        scarce=[f"{e} in {s}" for s, count in counts.items() for e in EMOTIONS if count[e] == 1],
        empty=[split for split in SPLITS if was_split and not counts[split]],
        suspects=_suspects(photos, looks, parts, seed),
    )


def write_check(check: Check, folder: Path, out: Path) -> None:
    """Write ``check.json``, ``suspects.csv`` and the contact sheet ``suspects.png``.

    Args:
        check: what was found.
        folder: the photos' folder.
        out: where to; made if absent.

    Raises:
        LabError: the folder cannot be made.
        UsageError: a file cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"The folder {out} cannot be made: {error.strerror}.") from None
    with atomic_write(out / "check.json", text=True) as file:
        json.dump(asdict(check), file, indent=1)
    with atomic_write(out / "suspects.csv", text=True) as file:
        table = csv.DictWriter(file, ["photo", "label", "likely", "trust"])
        table.writeheader()
        table.writerows(asdict(suspect) for suspect in check.suspects)
    if check.suspects:
        save_picture(contact_sheet(check.suspects[:SUSPECTS], folder / "photos"), out / "suspects.png")


def contact_sheet(suspects: Sequence[Suspect], photos: Path) -> Image.Image:
    """Return one picture of all suspects, each with its label and the likely one below."""
    columns = min(8, len(suspects))
    rows = -(-len(suspects) // columns)
    sheet = Image.new("RGB", (columns * _CELL, rows * (_CELL + 44)), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for i, suspect in enumerate(suspects):
        x, y = i % columns * _CELL, i // columns * (_CELL + 44)
        picture = Image.fromarray(open_photo(photos / suspect.photo).pixels)
        sheet.paste(ImageOps.pad(picture, (_CELL - 6, _CELL - 6), color="white"), (x + 3, y + 3))
        pen.text((x + 4, y + _CELL), f"{suspect.label}? likely {suspect.likely}", fill="black", font=font)
        pen.text((x + 4, y + _CELL + 18), suspect.photo[-26:], fill="#555555", font=font)
    return sheet


def _suspects(photos: Sequence[LabelledPhoto], looks: Looks, parts: NDArray[np.intp], seed: int) -> list[Suspect]:
    """Judge each label by a model of the other photos (confident learning, Northcutt et al. 2021)."""
    from cleanlab.filter import find_label_issues
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    assert looks.embeddings is not None
    kept = [i for i, photo in enumerate(photos) if looks.readable[i] and photo.tier != "web"]
    shown = sorted({photos[i].label for i in kept})
    labels = np.array([shown.index(photos[i].label) for i in kept], np.intp)
    groups = {(int(label), int(part)) for label, part in zip(labels, parts[kept], strict=True)}
    rarest = min((sum(label == i for label, _ in groups) for i in range(len(shown))), default=0)
    if len(shown) < 2 or rarest < _FOLDS:  # too few to judge one by the others
        return []
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    model = LogisticRegression(C=3.0, max_iter=300, class_weight="balanced")
    features = looks.embeddings[kept, 0]
    given = cross_val_predict(model, features, labels, groups=parts[kept], cv=folds, method="predict_proba")
    found = find_label_issues(labels, given, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [
        Suspect(
            photo=photos[kept[i]].name,
            label=shown[labels[i]],
            likely=shown[int(given[i].argmax())],
            trust=round(float(given[i, labels[i]]), 4),
        )
        for i in found.tolist()
    ]


def _reason(photo: LabelledPhoto) -> str:
    try:
        open_photo(photo.path)
    except PhotoError as error:
        return str(error)
    return f"{photo.path} could not be read a moment ago."


def _replaced(photo: LabelledPhoto) -> str | None:
    """Return a sentence where a photo's file has changed since it was noted: figures change with it."""
    if not photo.sha256:
        return None
    try:
        digest = photo.digest()
    except LabError:  # said among those that cannot be read
        return None
    if digest.startswith(photo.sha256):
        return None
    return (
        f"{photo.name} is another file than the manifest notes (SHA-256 {digest[:16]}, noted "
        f"{photo.sha256[:16]}): put the noted file back, or import the photos anew."
    )


def _names(photos: Sequence[LabelledPhoto]) -> list[str]:
    return [f"{photo.name} ({photo.split or 'no split'}, {photo.label})" for photo in photos]
