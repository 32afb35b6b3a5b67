"""What is dog in labelled photos, as a finder sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from dogmood.atomic import atomic_write
from dogmood.finder import Finder
from dogmood.lab.altered import dog_share
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.dogs import make_folder, open_labelled
from dogmood.lab.each import each


class KnownMasks:
    """The masks of labelled photos, asked of a finder once and kept on disk.

    Args:
        finder: says what is dog.  Photos come to it side by side.
        key: what the finder's answers depend on, such as its checksum.
        folder: for the masks, a grey PNG picture a photo.
    """

    def __init__(self, finder: Finder, key: str, folder: Path) -> None:
        self._finder = finder
        self._key = f"{key} {finder.settings}"
        self._folder = folder

    def of(self, photos: Sequence[LabelledPhoto]) -> list[LabelledPhoto]:
        """Return each photo's mask in its place: 255 where all is dog, of the photo's size.

        Raises:
            LabError: a photo cannot be read, or the folder cannot be made.
            UsageError: the folder cannot be written to.
        """
        make_folder(self._folder)
        paths = each(self._mask, photos, "Finding masks")
        return [replace(photo, path=path) for photo, path in zip(photos, paths, strict=True)]

    def _mask(self, photo: LabelledPhoto) -> Path:
        name = hashlib.sha256(f"{self._key} {photo.digest()}".encode()).hexdigest()[:24]
        path = self._folder / f"{name}.png"
        if not path.exists():
            pixels = open_labelled(photo)
            dog = dog_share(self._finder.find(pixels), *pixels.shape[1::-1])
            with atomic_write(path) as file:
                Image.fromarray((dog * 255).round().astype(np.uint8)).save(file, "PNG")
        return path
