"""What of a labelled photo a network is shown, cut out once and kept on disk."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.classifier import View
from dogmood.crop import FILL, cut
from dogmood.finder import Finder, FoundDog
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.dogs import KnownDogs, make_folder, open_labelled
from dogmood.lab.each import ONE_THREAD, each
from dogmood.lab.finder_metrics import eager
from dogmood.lab.locking import one_at_a_time

CUTS: dict[str, View] = {"head": View("head", 1.5), "body": View("body", 1.05), "photo": View("photo", 1.0)}
"""Head and body as the shipped models cut them; ``photo`` is for collections of faces."""

_CHUNK = 256
FINDER = "base"
"""The shipped model whose finder says where the dogs are."""


@dataclass(frozen=True)
class Cutting:
    """How photos become equal-sized pictures.

    Attributes:
        view: what is cut.
        side: the pictures' side in pixels.
        channels: 1 (grey, ITU-R 601-2 luma) or 3 (RGB).
        fill: the colour beyond the photo's edge.
    """

    view: View
    side: int
    channels: int
    fill: tuple[int, int, int] = FILL


def shipped_dogs(photos: Sequence[LabelledPhoto], cache: Path) -> list[FoundDog]:
    """Return the dog of each photo as the shipped finder sees it; see `KnownDogs`."""
    bundle = open_bundle(FINDER)
    finder = Finder(Network(bundle.finder, ONE_THREAD), eager(read_settings(bundle.card).finder))
    return KnownDogs(finder, hashlib.sha256(bundle.finder).hexdigest(), cache).of(photos)


def cut_photos(
    photos: Sequence[LabelledPhoto], cutting: Cutting, cache: Path, dogs: Sequence[FoundDog] | None = None
) -> NDArray[np.uint8]:
    """Cut every photo, or take what an earlier call has cut from the cache.

    Args:
        photos: the labelled photos.
        cutting: how to cut them.
        cache: a folder; work is kept there in pieces, so that a call which was
            stopped goes on.
        dogs: the dog in each photo; the shipped finder's unless given.

    Returns:
        ``(n, channels, side, side)`` uint8, kept on disk (`numpy.memmap`).

    Raises:
        LabError: a photo cannot be read, or the cache cannot be written to.
    """
    if not photos:
        return np.empty((0, cutting.channels, cutting.side, cutting.side), np.uint8)
    if dogs is None:
        whole_photos = cutting.view.of == "photo"
        dogs = [_NOWHERE] * len(photos) if whole_photos else shipped_dogs(photos, cache)
    subjects = list(zip(photos, dogs, strict=True))
    names = [f"{photo.digest()} {dog.box} {dog.head}" for photo, dog in subjects]
    asked = json.dumps([*astuple(cutting.view), cutting.side, cutting.channels, cutting.fill])
    key = hashlib.sha256("\0".join([asked, *names]).encode()).hexdigest()[:16]
    whole = cache / f"cuts-{key}.npy"
    make_folder(cache)
    # Runs side by side want the same cuts: one makes them, the others wait.
    with one_at_a_time(cache / f"cuts-{key}.lock"):
        if not whole.exists():
            _cut_all(cutting, subjects, cache / f"cuts-{key}", whole)
    loaded: NDArray[np.uint8] = np.load(whole, mmap_mode="r")
    return loaded


_NOWHERE = FoundDog((0.0, 0.0, 0.0, 0.0), None, 0.0)
"""Stands for the dog where whole photos are cut."""


def _cut_all(cutting: Cutting, subjects: Sequence[tuple[LabelledPhoto, FoundDog]], pieces: Path, whole: Path) -> None:
    make_folder(pieces)
    clear_leftovers(pieces)
    clear_leftovers(whole.parent, whole.name)
    starts = list(range(0, len(subjects), _CHUNK))
    missing = {start: subjects[start : start + _CHUNK] for start in starts if not _piece(pieces, start).exists()}
    pictures = each(partial(_cut, cutting), list(chain(*missing.values())), "Cutting photos")
    for start, chunk in missing.items():
        piece = io.BytesIO()
        np.save(piece, np.stack(list(islice(pictures, len(chunk)))), allow_pickle=False)
        with atomic_write(_piece(pieces, start)) as file:
            file.write(piece.getbuffer())  # NumPy itself does not say that a disk is full
    _join([_piece(pieces, start) for start in starts], whole)


def _cut(cutting: Cutting, subject: tuple[LabelledPhoto, FoundDog]) -> NDArray[np.uint8]:
    photo, dog = subject
    pixels = open_labelled(photo)
    height, width = pixels.shape[:2]
    picture = cut(pixels, cutting.view.square(dog, width, height), cutting.side, cutting.fill)
    if cutting.channels == 1:
        return np.asarray(Image.fromarray(picture).convert("L"))[None]
    return picture.transpose(2, 0, 1)


def _piece(folder: Path, start: int) -> Path:
    return folder / f"{start:07d}.npy"


def _join(pieces: Sequence[Path], whole: Path) -> None:
    """Write all pieces into one file, never holding more than one of them in memory."""
    parts = [np.load(piece, mmap_mode="r") for piece in pieces]
    shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
    with atomic_write(whole) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for part in parts:
            file.write(part.tobytes())
    for piece in pieces:
        piece.unlink()
    pieces[0].parent.rmdir()
