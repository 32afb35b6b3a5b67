"""Bring labelled photos in, however they are laid out: into ``photos/`` and ``manifest.csv``."""

from __future__ import annotations

import csv
import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dogmood.emotions import EMOTIONS, emotion_of
from dogmood.errors import PhotoError, UsageError
from dogmood.files import inside
from dogmood.folder import photos_of
from dogmood.lab import LabError
from dogmood.lab.data.manifest import photo_path, read_rows, write_rows
from dogmood.lab.progress import track
from dogmood.photo import open_photo

FER_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""What the digits of FER2013's ``emotion`` column mean (Goodfellow et al. 2013, arXiv:1307.0414)."""

FER_SPLITS = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
_FER_UNKNOWN = ("disgust", "surprise")
_KEPT = ("split", "group", "dog", "video", "source", "tier", *EMOTIONS)


@dataclass(frozen=True)
class Found:
    """A labelled photo of the source.

    Attributes:
        name: how the source calls it, for messages.
        word: the label as the source writes it.
        keep: writes the photo to a path without ending, returns the path it took.
        facts: other columns that the source has.
    """

    name: str
    word: str
    keep: Callable[[Path], Path]
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Attributes:
        counts: photos of each emotion.
        dropped: photos of each word that was left out on purpose.
        unreadable: a sentence for each photo that could not be read.
    """

    counts: Mapping[str, int]
    dropped: Mapping[str, int]
    unreadable: Sequence[str]


def import_photos(source: Path, out: Path, means: Mapping[str, str], drop: Iterable[str] = ()) -> Imported:
    """Copy labelled photos into a folder of our own layout.

    Args:
        source: a folder with a subfolder per class, a CSV or Parquet file with the
            columns path and label, FER2013's CSV file, or a folder with our manifest.
        out: the folder to be; it is complete when it appears.
        means: emotions by the words that the source uses for them, besides the aliases.
        drop: words whose photos are left out.

    Raises:
        LabError: the source is none of these, has unknown words, or no photo of it
            can be read, or ``out`` is in use.
        UsageError: ``means`` names what is no emotion.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LabError(f"{out} is in use: give a folder that does not exist yet.")
    found, known_drops = _found_in(source)
    words = {word.strip().lower(): emotion_of(emotion) for word, emotion in means.items()}
    left_out = {word.strip().lower() for word in drop} | set(known_drops) - words.keys()
    labels = _labels({item.word for item in found}, words, left_out, source)
    chosen = [item for item in found if item.word.strip().lower() not in left_out]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise LabError(f"{out} cannot be made: {error.strerror}.") from None
    try:
        rows, unreadable = _copied(chosen, labels, work)
        if not rows:
            raise LabError(f"No photo of {source} can be read: {unreadable[0] if unreadable else 'it lists none.'}")
        write_rows(work, rows)
        work.chmod(0o755)
        if out.exists():
            out.rmdir()
        work.rename(out)
    except OSError as error:
        raise LabError(f"{out} cannot be written: {error.strerror}.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    dropped = Counter(item.word for item in found if item.word.strip().lower() in left_out)
    return Imported(Counter(row["label"] for row in rows), dropped, unreadable)


def _found_in(source: Path) -> tuple[list[Found], tuple[str, ...]]:
    """Return the photos of a source, and the words it is known to use for what we leave out."""
    if source.is_dir():
        if (source / "manifest.csv").is_file():
            return _from_manifest(source), ()
        return _from_folders(source), ()
    if not source.is_file():
        raise LabError(f"{source} does not exist.")
    rows = _table(source)
    if {"emotion", "pixels"} <= rows[0].keys():
        return [_from_fer(row, i) for i, row in enumerate(rows, start=1)], _FER_UNKNOWN
    missing = [name for name in ("path", "label") if name not in rows[0]]
    if missing:
        raise LabError(f"{source} lacks the column {' and '.join(missing)}; it has {', '.join(rows[0])}.")
    return [_from_path(_beside(source, row["path"]), row["path"], row["label"], row) for row in rows], ()


def _from_folders(source: Path) -> list[Found]:
    classes = sorted(folder for folder in source.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    found = [
        _from_path(photo.path, f"{folder.name}/{photo.name}", folder.name, {})
        for folder in classes
        for photo in photos_of([folder])
        if photo.problem is None
    ]
    if not found:
        raise LabError(f"{source} holds no folder with photos in it: make one folder for each emotion.")
    return found


def _from_manifest(source: Path) -> list[Found]:
    return [_from_path(photo_path(source, row["photo"]), row["photo"], row["label"], row) for row in read_rows(source)]


def _beside(table: Path, name: str) -> Path:
    """Return the path of a photo that a table names: a downloaded table shall not name just any file."""
    folder = table.parent.absolute()
    try:
        return inside(table.parent, str(Path(name).relative_to(folder)) if Path(name).is_absolute() else name)
    except ValueError:
        raise LabError(
            f"{table} names {name[:200]!r}, which does not lie in {folder}: move the table to a folder that holds "
            "its photos, and write their paths from there."
        ) from None


def _from_path(path: Path, name: str, word: str, row: Mapping[str, str]) -> Found:
    def keep(target: Path) -> Path:
        open_photo(path)  # to be refused here rather than in training
        whole = target.with_name(target.name + path.suffix.lower())
        shutil.copyfile(path, whole)
        return whole

    return Found(name, word, keep, {key: row[key] for key in _KEPT if row.get(key)})


def _from_fer(row: Mapping[str, str], number: int) -> Found:
    digit = row["emotion"].strip()
    word = FER_EMOTIONS[int(digit)] if digit.isdigit() and int(digit) < len(FER_EMOTIONS) else digit

    def keep(target: Path) -> Path:
        try:
            pixels = np.array(row["pixels"].split(), np.uint8)
            side = round(len(pixels) ** 0.5)
            image = Image.fromarray(pixels.reshape(side, side))
        except (ValueError, OverflowError):
            raise PhotoError(f"Row {number} holds no square of grey values from 0 to 255.") from None
        whole = target.with_name(target.name + ".png")
        image.save(whole)
        return whole

    usage = row.get("Usage", "").strip()
    facts = {"source": "FER2013", "split": FER_SPLITS.get(usage, "")}
    return Found(f"row {number}", word, keep, facts)


def _table(source: Path) -> list[dict[str, str]]:
    """Read a CSV or Parquet file as rows of text."""
    try:
        if source.suffix.lower() == ".parquet":
            import pyarrow.parquet

            read: list[dict[str, Any]] = pyarrow.parquet.read_table(source).to_pylist()
            rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in read]
        else:
            csv.field_size_limit(2**24)  # the pixels of a large picture in one field
            with source.open(newline="", encoding="utf-8-sig") as file:
                rows = [{k: v or "" for k, v in row.items() if k is not None} for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error):
        raise LabError(f"{source} cannot be read as a table: give a CSV file in UTF-8 or a Parquet file.") from None
    if not rows:
        raise LabError(f"{source} has no rows.")
    return rows


def _labels(words: set[str], means: Mapping[str, str], left_out: set[str], source: Path) -> dict[str, str]:
    labels, unknown = {}, []
    for word in sorted(words):
        plain = word.strip().lower()
        if plain in left_out:
            continue
        try:
            labels[word] = means[plain] if plain in means else emotion_of(word)
        except UsageError:
            unknown.append(word)
    if unknown:
        raise LabError(
            f"{source} names {', '.join(map(repr, unknown))}, known here as no emotion: "
            "say what they mean with --map WORD=EMOTION, or leave them out with --drop WORD."
        )
    return labels


def _copied(found: Sequence[Found], labels: Mapping[str, str], work: Path) -> tuple[list[dict[str, str]], list[str]]:
    rows, unreadable = [], []
    (work / "photos").mkdir()
    for number, item in enumerate(track(found, "Importing")):
        try:
            path = item.keep(work / "photos" / f"p{number:06d}")
            photo = open_photo(path)
        except (PhotoError, OSError) as error:
            unreadable.append(str(error) if isinstance(error, PhotoError) else f"{item.name}: {error.strerror}.")
            continue
        grey = bool((photo.pixels == photo.pixels[..., :1]).all())
        facts = {
            "photo": path.name,
            "label": labels[item.word],
            "width": str(photo.width),
            "height": str(photo.height),
            "grey": str(int(grey)),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest()[:16],
        }
        rows.append({**item.facts, **facts})
    return rows, unreadable
