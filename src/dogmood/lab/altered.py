"""Photos with the dog, its face or the backdrop taken out or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from dogmood.boxes import Box
from dogmood.crop import FILL
from dogmood.finder import Found
from dogmood.photo import Pixels, resized

GROWN = 9
"""Pixels of a 384-pixel photo by which the dog is grown before it is taken out, so that no rim of it stays."""

WORN_SIDES = (64, 200)
"""Pixels along the long side of a worn photo: from least to most."""

WORN_ANGLE = 25.0
"""Degrees by which a worn photo is turned at most."""

WIDEST = 0.5
"""The widest margin around a face that networks learn from, as a share of its head box; the narrowest is none."""

Share = NDArray[np.float32]
Region = tuple[int, int, int, int]


def dog_share(found: Found, width: int, height: int) -> Share:
    """Return how much of each pixel is dog, ``(height, width)`` in [0, 1]."""
    mask = Image.fromarray(found.mask).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(mask).clip(0, 1)


def without_backdrop(pixels: Pixels, dog: Share) -> Pixels:
    """Return the photo with the fill colour of crops behind the dog."""
    return blended(pixels, plain_like(pixels), dog)


def without_dog(pixels: Pixels, dog: Share) -> Pixels:
    """Return the photo with the fill colour where the dog was, grown by a rim."""
    rim = max(1, round(GROWN * max(pixels.shape[:2]) / 384)) // 2 * 2 + 1
    grown = Image.fromarray((dog * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(rim))
    gone = np.asarray(grown, np.float32) > 0.25 * 255
    return blended(pixels, plain_like(pixels), 1 - gone.astype(np.float32))


def without_box(pixels: Pixels, box: Sequence[float]) -> Pixels:
    """Return the photo with the fill colour over the whole box of the dog, so that no outline tells."""
    x0, y0, x1, y1 = (max(0, round(edge)) for edge in box)
    result = pixels.copy()
    result[y0:y1, x0:x1] = FILL
    return result


def on_backdrop(pixels: Pixels, dog: Share, backdrop: Pixels) -> Pixels:
    """Return the dog in front of another picture, stretched to the photo's size."""
    height, width = pixels.shape[:2]
    return blended(pixels, resized(backdrop, width, height), dog)


def plain_like(pixels: Pixels) -> Pixels:
    """Return a plain picture of the same shape."""
    return np.broadcast_to(np.array(FILL, np.uint8), pixels.shape)


def blended(front: Pixels, back: Pixels, share: Share) -> Pixels:
    """Return ``front`` where ``share`` is 1 and ``back`` where it is 0."""
    weight = share[..., None]
    mixed: Pixels = (front * weight + back * (1 - weight)).round().astype(np.uint8)
    return mixed


def face(pixels: Pixels, head: Box, margin: float = 0.0) -> Pixels:
    """Return what lies in a head's box, at least one pixel of it: see `face_region`."""
    x0, y0, x1, y1 = face_region(pixels.shape[1], pixels.shape[0], head, margin)
    return pixels[y0:y1, x0:x1]


def face_region(width: int, height: int, head: Box, margin: float = 0.0) -> Region:
    """Return left, top, right and bottom of what is cut out as a face, at least one pixel.

    Args:
        width: the photo's, in pixels.
        height: likewise.
        head: in its pixels.
        margin: how much wider and higher than the box, as a share of it.
    """
    wide, high = (head[2] - head[0]) * margin / 2, (head[3] - head[1]) * margin / 2
    x0, y0 = min(max(0, round(head[0] - wide)), width - 1), min(max(0, round(head[1] - high)), height - 1)
    x1, y1 = max(x0 + 1, round(head[2] + wide)), max(y0 + 1, round(head[3] + high))
    return x0, y0, min(width, x1), min(height, y1)


@dataclass(frozen=True)
class Wear:
    """What makes a photo look as collections of faces hold many: grey and small.

    Attributes:
        side: pixels along the long side.
        squeezed: whether it is squeezed to a square.
        angle: by how many degrees it is turned, against the clock.
    """

    side: float
    squeezed: bool
    angle: float

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Wear:
        """Draw a size; half are squeezed, half turned."""
        side = float(np.exp(random.uniform(*np.log(WORN_SIDES))))
        squeezed = bool(random.random() < 0.5)
        return cls(side, squeezed, float(random.uniform(-WORN_ANGLE, WORN_ANGLE)) if random.random() < 0.5 else 0.0)

    def of(self, pixels: Pixels) -> Pixels:
        """Return the photo as it is worn; what turns in from outside is black."""
        wide, high = self.size(pixels.shape[1], pixels.shape[0])
        small = Image.fromarray(resized(pixels, wide, high)).convert("L")
        if self.angle:
            small = small.rotate(self.angle, Image.Resampling.BICUBIC)
        return np.asarray(small.convert("RGB"))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of the worn photo, given those of the photo."""
        scale = self.side / max(width, height)
        wide, high = max(1, round(width * scale)), max(1, round(height * scale))
        return (max(wide, high), max(wide, high)) if self.squeezed else (wide, high)
