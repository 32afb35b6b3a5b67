"""What of a labelled photo a network is shown, cut out once and kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image

from dogmood.atomic import atomic_write
from dogmood.boxes import Box
from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.classifier import View
from dogmood.crop import cut
from dogmood.errors import PhotoError
from dogmood.finder import Finder, FoundDog
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.dogs import largest
from dogmood.lab.finder_metrics import eager
from dogmood.lab.progress import track
from dogmood.photo import open_photo

CUTS: dict[str, View] = {"head": View("head", 1.5), "body": View("body", 1.05), "photo": View("photo", 1.0)}
"""Head and body as the shipped models cut them; ``photo`` is for collections of faces."""

_CHUNK = 256
FINDER = "base"
"""The shipped model whose finder says where the dogs are."""


@dataclass(frozen=True)
class Cutting:
    """How photos become equal-sized pictures.

    Attributes:
        cut: one of `CUTS`.
        side: the pictures' side in pixels.
        channels: 1 (grey, ITU-R 601-2 luma) or 3 (RGB).
    """

    cut: str
    side: int
    channels: int


def cut_photos(photos: Sequence[LabelledPhoto], cutting: Cutting, cache: Path) -> NDArray[np.uint8]:
    """Cut every photo, or take what an earlier call has cut from the cache.

    Args:
        photos: the labelled photos.
        cutting: how to cut them.
        cache: a folder; work is kept there in pieces, so that a call which was
            stopped goes on.

    Returns:
        ``(n, channels, side, side)`` uint8, kept on disk (`numpy.memmap`).

    Raises:
        LabError: a photo cannot be read, or the cache cannot be written to.
    """
    cutter = _Cutter(cutting)
    digests = [hashlib.sha256(_bytes_of(p)).hexdigest() for p in photos]
    key = hashlib.sha256("\0".join([cutter.key, *digests]).encode()).hexdigest()[:16]
    whole = cache / f"cuts-{key}.npy"
    _make_folder(cache)
    # Runs side by side want the same cuts: one makes them, the others wait.
    with FileLock(cache / f"cuts-{key}.lock"):
        if not whole.exists():
            _cut_all(cutter, photos, cache / f"cuts-{key}", whole)
    loaded: NDArray[np.uint8] = np.load(whole, mmap_mode="r")
    return loaded


def _cut_all(cutter: _Cutter, photos: Sequence[LabelledPhoto], pieces: Path, whole: Path) -> None:
    _make_folder(pieces)
    starts = list(range(0, len(photos), _CHUNK))
    missing = [start for start in starts if not _piece(pieces, start).exists()]
    for start in track(missing, "Cutting photos"):
        cutter.keep(_piece(pieces, start), photos[start : start + _CHUNK])
    _join([_piece(pieces, start) for start in starts], whole)


class _Cutter:
    def __init__(self, cutting: Cutting) -> None:
        self._cutting = cutting
        self._view = CUTS[cutting.cut]
        self._finder: Finder | None = None
        self.key = json.dumps([cutting.cut, cutting.side, cutting.channels, self._view.expand])
        if cutting.cut != "photo":
            bundle = open_bundle(FINDER)
            self._finder = Finder(Network(bundle.finder), eager(read_settings(bundle.card).finder))
            self.key += hashlib.sha256(bundle.finder).hexdigest()

    def keep(self, path: Path, photos: Sequence[LabelledPhoto]) -> None:
        pictures = np.stack([self._cut(photo) for photo in photos])
        with atomic_write(path) as file:
            np.save(file, pictures, allow_pickle=False)

    def _cut(self, photo: LabelledPhoto) -> NDArray[np.uint8]:
        try:
            pixels = open_photo(photo.path).pixels
        except PhotoError as error:
            raise LabError(f"{error} Run `dogmood data check` to list all such photos.") from None
        height, width = pixels.shape[:2]
        everything: Box = (0.0, 0.0, float(width), float(height))
        dog = FoundDog(everything, None, 1.0)
        if self._finder is not None:
            dogs = self._finder.find(pixels).dogs
            dog = largest(dogs) if dogs else dog
        square = self._view.square(dog, width, height)
        picture = cut(pixels, square, self._cutting.side)
        if self._cutting.channels == 1:
            return np.asarray(Image.fromarray(picture).convert("L"))[None]
        return picture.transpose(2, 0, 1)


def _bytes_of(photo: LabelledPhoto) -> bytes:
    try:
        return photo.path.read_bytes()
    except OSError as error:
        raise LabError(f"{photo.path} cannot be opened: {error.strerror}; run `dogmood data check`.") from None


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


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"The cache {folder} cannot be made: {error.strerror}; give another with --cache.") from None
