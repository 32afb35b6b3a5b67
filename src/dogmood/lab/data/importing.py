"""Bring labelled photos in, however they are laid out: into ``photos/`` and ``manifest.csv``."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from dogmood.emotions import emotion_of
from dogmood.errors import PhotoError, UsageError
from dogmood.folder import photos_of
from dogmood.lab import LabError
from dogmood.lab.data.manifest import photo_path, read_rows, write_rows
from dogmood.lab.data.tables import beside, facts_of, plain, read_table, split_of
from dogmood.lab.progress import track
from dogmood.photo import open_photo

FER_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""What the digits of FER2013's ``emotion`` column mean (Goodfellow et al. 2013, arXiv:1307.0414)."""

_SHOWN = 20
"""Of a source's words, this many are named in a sentence."""

_FER_UNKNOWN = ("disgust", "surprise")


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
        split: whether the source brought its splits.
    """

    counts: Mapping[str, int]
    dropped: Mapping[str, int]
    unreadable: Sequence[str]
    split: bool


def import_photos(source: Path, out: Path, means: Mapping[str, str], drop: Iterable[str] = ()) -> Imported:
    """Copy labelled photos into a folder of our own layout.

    Args:
        source: a folder with a subfolder per class, a CSV or Parquet file with the
            columns path and label, FER2013's CSV file, or a folder with our manifest.
        out: the folder to be; it is complete when it appears.
        means: emotions by the words that the source uses for them, besides the aliases.
        drop: words whose photos are left out.

    Raises:
        LabError: the source is none of these, has unknown words, splits or soft
            labels, lacks a word of ``means`` or ``drop``, or no photo of it can be
            read, or ``out`` is in use.
        UsageError: ``means`` names what is no emotion.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LabError(f"{out} is in use: give a folder that does not exist yet.")
    found, known_drops = _found_in(source)
    words = {plain(word): emotion_of(emotion) for word, emotion in means.items()}
    dropped_words = {plain(word) for word in drop}
    _check_asked({"map": words.keys(), "drop": dropped_words}, {item.word for item in found}, source)
    left_out = dropped_words | set(known_drops) - words.keys()
    labels = _labels({item.word for item in found}, words, left_out, source)
    chosen = [item for item in found if plain(item.word) not in left_out]
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
    dropped = Counter(item.word for item in found if plain(item.word) in left_out)
    return Imported(
        counts=Counter(row["label"] for row in rows),
        dropped=dropped,
        unreadable=unreadable,
        split=any(row.get("split") for row in rows),
    )


def _found_in(source: Path) -> tuple[list[Found], tuple[str, ...]]:
    """Return the photos of a source, and the words it is known to use for what we leave out."""
    if source.is_dir():
        if (source / "manifest.csv").is_file():
            return _from_manifest(source), ()
        return _from_folders(source), ()
    if not source.is_file():
        raise LabError(f"{source} does not exist.")
    rows = read_table(source)
    if {"emotion", "pixels"} <= rows[0].keys():
        return [_from_fer(row, i, source) for i, row in enumerate(rows, start=1)], _FER_UNKNOWN
    missing = [name for name in ("path", "label") if name not in rows[0]]
    if missing:
        raise LabError(f"{source} lacks the column {' and '.join(missing)}; it has {', '.join(rows[0])}.")
    return [
        _from_path(beside(source, row["path"]), row["path"], row["label"], facts_of(row, row["path"], source))
        for row in rows
    ], ()


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
    table = source / "manifest.csv"
    return [
        _from_path(photo_path(source, row["photo"]), row["photo"], row["label"], facts_of(row, row["photo"], table))
        for row in read_rows(source)
    ]


def _from_path(path: Path, name: str, word: str, facts: Mapping[str, str]) -> Found:
    def keep(target: Path) -> Path:
        open_photo(path)  # to be refused here rather than in training
        whole = target.with_name(target.name + path.suffix.lower())
        shutil.copyfile(path, whole)
        return whole

    return Found(name, word, keep, facts)


def _from_fer(row: Mapping[str, str], number: int, source: Path) -> Found:
    digit = row["emotion"].strip()
    word = {str(i): word for i, word in enumerate(FER_EMOTIONS)}.get(digit, digit)

    def keep(target: Path) -> Path:
        try:
            pixels = np.array(row["pixels"].split(), np.uint8)
            side = round(len(pixels) ** 0.5)
            if not side:
                raise ValueError("no values")
            image = Image.fromarray(pixels.reshape(side, side))
        except (ValueError, OverflowError):
            raise PhotoError(f"Row {number} holds no square of grey values from 0 to 255.") from None
        whole = target.with_name(target.name + ".png")
        image.save(whole)
        return whole

    name = f"row {number}"
    facts = {"source": "FER2013", "split": split_of(row.get("Usage", ""), name, source)}
    return Found(name, word, keep, facts)


def _check_asked(asked: Mapping[str, Iterable[str]], words: set[str], source: Path) -> None:
    """Refuse ``--map`` and ``--drop`` of words that the source does not use: they would do nothing, unseen."""
    has = sorted({plain(word) for word in words})
    for option, given in asked.items():
        absent = sorted(set(given) - set(has))
        if absent:
            more = f" and {len(has) - _SHOWN} more" if len(has) > _SHOWN else ""
            raise LabError(
                f"{source} does not use {', '.join(map(repr, absent))}, which --{option} names: "
                f"give a word as it stands there, {', '.join(map(repr, has[:_SHOWN]))}{more}."
            )


def _labels(words: set[str], means: Mapping[str, str], left_out: set[str], source: Path) -> dict[str, str]:
    labels, unknown = {}, []
    for word in sorted(words):
        said = plain(word)
        if said in left_out:
            continue
        try:
            labels[word] = means[said] if said in means else emotion_of(word)
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
