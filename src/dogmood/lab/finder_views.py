"""How the finder is shown its photos in training, and what is known of each view.

A photo is shown as it is, at the sides that finders look at; worn, as collections of
faces hold many (`dogmood.lab.altered.Wear`); and so is the face of an animal whose head
is known.  Boxes and masks go along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.boxes import Box
from dogmood.finder import FinderSettings, whole_photo
from dogmood.lab.altered import WIDEST, Region, Wear, face_region
from dogmood.lab.finder_targets import Corners, Truth
from dogmood.lab.nets.finder import BACKDROP
from dogmood.photo import Pixels

SEEN_WHOLE = 0.8
"""A head is in a view if this share of its box is."""

SLIVER = 0.05
"""A body that fills less of a view than this share is not asked for."""

NOTHING = 2
"""The backdrop's value in an exact mask."""


@dataclass(frozen=True)
class View:
    """One way to show a photo.

    Attributes:
        side: the long side in pixels that it is fitted to.
        cut: what is cut out of the photo first, in pixels; None for all of it.
        wear: how it is worn, if it is.
    """

    side: int
    cut: Region | None = None
    wear: Wear | None = None

    def pixels(self, photo: Pixels) -> Pixels:
        """Return ``(h, w, 3)`` uint8 RGB, as the network is shown the photo."""
        return whole_photo(self._guise(photo), self.side)

    def known(self, truth: Truth, width: int, height: int) -> Truth:
        """Return what is known of the view, given what is known of a photo of that size."""
        if self.cut is not None:
            x0, y0, x1, y1 = self.cut
            truth = cut_out(truth, (x0 / width, y0 / height, x1 / width, y1 / height))
            width, height = x1 - x0, y1 - y0
        if self.wear is not None and self.wear.angle:
            truth = turned(truth, self.wear.angle, *self.wear.size(width, height))
        return truth

    def _guise(self, photo: Pixels) -> Pixels:
        if self.cut is not None:
            x0, y0, x1, y1 = self.cut
            photo = photo[y0:y1, x0:x1]
        return photo if self.wear is None else self.wear.of(photo)


@dataclass(frozen=True, eq=False)
class FinderPhoto:
    """A photo that the finder learns from.

    Attributes:
        path: its file.
        digest: SHA-256 of the file.
        size: width and height in pixels.
        truth: what is known of it.
        head: the head box in pixels of the animal that it shows, or None.
    """

    path: Path
    digest: str
    size: tuple[int, int]
    truth: Truth
    head: Box | None

    def guises(self, settings: FinderSettings) -> list[View]:
        """Return the views besides the photo as it is: worn, and its face plain and worn.

        Args:
            settings: how the finder looks; small pictures are enlarged only so far.
        """
        random = np.random.default_rng(int(self.digest[:16], 16))
        width, height = self.size
        cuts: list[Region | None] = [None]
        if self.head is not None:
            cuts.append(face_region(width, height, self.head, float(random.uniform(0, WIDEST))))
        worn = [self._worn(cut, Wear.drawn(random), settings) for cut in cuts]
        plain = [View(settings.side_for(max(_size(cut, self.size))), cut) for cut in cuts if cut is not None]
        return worn + plain

    def _worn(self, cut: Region | None, wear: Wear, settings: FinderSettings) -> View:
        return View(settings.side_for(max(wear.size(*_size(cut, self.size)))), cut, wear)


def cut_out(truth: Truth, region: Corners) -> Truth:
    """Return what is known of a part of a photo, given as shares of its sides."""
    bodies, heads = truth.bodies, truth.heads
    if bodies:
        within = [(_within(body, region), _common(body, region)) for body in bodies]
        inside = [body for body, common in within if common > 0]
        # Slivers of further dogs are neither to be found nor backdrop.
        bodies = tuple(inside) if len(inside) < 2 and all(_area(body) >= SLIVER for body in inside) else None
    if heads:
        heads = tuple(_within(head, region) for head in heads if _common(head, region) >= SEEN_WHOLE)
    animal, soft = truth.animal, truth.soft
    if animal is not None:
        height, width = animal.shape
        x0, y0, x1, y1 = (round(edge * side) for edge, side in zip(region, (width, height) * 2, strict=True))
        x0, y0 = min(x0, width - 1), min(y0, height - 1)
        animal = animal[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    if soft is not None:
        _, rows, columns = soft.shape
        box = (region[0] * columns, region[1] * rows, region[2] * columns, region[3] * rows)
        layers = (Image.fromarray(layer.astype(np.float32)) for layer in soft)
        soft = np.stack([np.asarray(x.resize((columns, rows), Image.Resampling.BILINEAR, box=box)) for x in layers])
    return replace(truth, bodies=bodies, heads=heads, animal=animal, soft=soft)


def turned(truth: Truth, angle: float, width: int, height: int) -> Truth:
    """Return what is known of a photo that is turned: its masks, but no box.

    Args:
        truth: what is known of the photo upright.
        angle: in degrees, against the clock; what turns in is backdrop.
        width: the photo's, in pixels.
        height: likewise.
    """

    def turn(layer: NDArray[np.uint8] | NDArray[np.float32], outside: float, how: Image.Resampling) -> Image.Image:
        return Image.fromarray(layer).resize((width, height), how).rotate(angle, how, fillcolor=outside)

    animal, soft = truth.animal, truth.soft
    if animal is not None:
        animal = np.asarray(turn(animal, NOTHING, Image.Resampling.NEAREST))
    if soft is not None:
        layers = [
            turn(layer.astype(np.float32), float(i == BACKDROP), Image.Resampling.BILINEAR)
            for i, layer in enumerate(soft)
        ]
        soft = np.stack([np.asarray(layer) for layer in layers])
    # Where there is no dog, there is none when the photo is turned.
    boxes = None if truth.dog else ()
    return replace(truth, bodies=boxes, heads=boxes, head_scored=True, animal=animal, soft=soft)


def _size(cut: Region | None, size: tuple[int, int]) -> tuple[int, int]:
    return size if cut is None else (cut[2] - cut[0], cut[3] - cut[1])


def _within(box: Corners, region: Corners) -> Corners:
    """Return the part of a box that lies in a region, as shares of the region."""
    x0, y0, x1, y1 = region
    wide, high = x1 - x0, y1 - y0
    left, up, right, down = ((box[0] - x0) / wide, (box[1] - y0) / high, (box[2] - x0) / wide, (box[3] - y0) / high)
    return min(max(left, 0), 1), min(max(up, 0), 1), min(max(right, 0), 1), min(max(down, 0), 1)


def _common(box: Corners, region: Corners) -> float:
    """Return which share of a box lies in a region."""
    common = _area(_within(box, region)) * _area(region)
    return common / _area(box) if common > 0 else 0.0


def _area(box: Corners) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
