"""Where each dog is in a photo, and whether there is one.

The network answers for every cell of 16 x 16 pixels; `find_dogs` turns that into
boxes: the peaks of a score map are dogs, and each takes the head that lies in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box, area, clipped, inside, iou
from dogmood.bundle import Network, checked, other_form
from dogmood.photo import Pixels, resized

STRIDE = 32
"""Both sides of the network's input are multiples of this."""
_LEAST_SIDE = 224
"""The side that ImageNet's networks are trained at: the smallest photo is enlarged to it."""
_SAME_DOG = 0.55
"""Two body boxes that overlap more (IoU) are one dog."""
_OTHER_DOG = 0.4
"""Body boxes that overlap less than this (IoU) may well be two dogs."""
_HEAD_INSIDE = 0.6
"""A head belongs to a body that holds at least this share of it."""

_NO_SCORE = 1e-9
"""What a score of 0 counts as where another is divided by it."""
_BOX_MAPS = 5
"""Of bodies, and of heads: a score, and the distances to the four sides."""

Outputs = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class FoundDog:
    """One dog; boxes in pixels of the array that was searched.

    Attributes:
        box: the body.
        head: the head, or None where none is seen.
        presence: how sure the finder is of this dog, in [0, 1].
    """

    box: Box
    head: Box | None
    presence: float


@dataclass(frozen=True, eq=False)
class Found:
    """What the finder saw.

    Attributes:
        dogs: from left to right; empty where there is no dog.
        presence: probability that the photo shows a dog at all, in [0, 1].
        mask: ``(rows, columns)`` float32 in [0, 1]: the share of dog in each cell
            of a regular grid over the photo.
    """

    dogs: tuple[FoundDog, ...]
    presence: float
    mask: NDArray[np.float32]


@dataclass(frozen=True)
class FinderSettings:
    """How the finder looks and decides; part of every model's card.

    Attributes:
        side: the long side in pixels that a photo is fitted to, a multiple of 32.
        presence: at or above this probability the photo shows a dog.
        box: at or above this share of the best score, a further peak is a dog.
        head: a head needs at least this score.
        box_with_head: at or above this share of the best score, a further peak is a dog if
            it holds a head of its own and hardly overlaps the dogs before it.
        enlarged: a photo smaller than ``side`` is enlarged at most so many times, though
            to 224 pixels at least; None enlarges every photo to ``side``.  Photos that
            are enlarged far look unlike what ImageNet's dogs were learnt from.
        mask: what the network says of a cell at a dog's edge; masks are shifted so that
            0.5 lies there.
    """

    side: int
    presence: float
    box: float
    head: float
    enlarged: float | None = None
    mask: float = 0.5
    box_with_head: float = 1.0

    def side_for(self, long_side: int) -> int:
        """Return the long side, a multiple of 32, that a photo of such a long side is fitted to."""
        if self.enlarged is None:
            return self.side
        wanted = min(self.side, max(_LEAST_SIDE, long_side * self.enlarged))
        return min(self.side, math.ceil(wanted / STRIDE) * STRIDE)


class Finder:
    """The first network of a model: takes a photo, returns its dogs."""

    def __init__(self, network: Network, settings: FinderSettings) -> None:
        self.settings = settings
        self._network = network

    def find(self, pixels: Pixels) -> Found:
        """Say where the dogs are in ``(h, w, 3)`` uint8 RGB pixels.

        Raises:
            ModelError: the network is not a finder's.
        """
        height, width = pixels.shape[:2]
        seen = whole_photo(pixels, self.settings.side_for(max(width, height)))
        batch = np.ascontiguousarray(seen.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
        presence, mask, body, head = (output[0] for output in checked(self._network(batch), 1, 3, 4, 4))
        if (len(body), len(head)) != (_BOX_MAPS, _BOX_MAPS):
            raise other_form()
        maps = {"presence": presence, "mask": mask, "body": body, "head": head}
        return find_dogs(maps, width, height, self.settings)


def whole_photo(pixels: Pixels, side: int) -> Pixels:
    """Fit a photo to the network's grid.

    The long side becomes ``side``, the short one keeps the aspect as nearly as
    whole steps of 32 pixels allow.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.
        side: a multiple of 32.
    """
    height, width = pixels.shape[:2]
    scale = side / max(width, height)
    columns = max(1, round(width * scale / STRIDE))
    rows = max(1, round(height * scale / STRIDE))
    return resized(pixels, columns * STRIDE, rows * STRIDE)


def find_dogs(maps: Outputs, width: int, height: int, settings: FinderSettings) -> Found:
    """Turn the network's maps of one photo into dogs.

    Args:
        maps: ``presence`` ``()``; ``mask`` ``(4 rows, 4 columns)``; ``body`` and
            ``head`` ``(5, rows, columns)``: a score in [0, 1] and the distances
            left, up, right, down to the box's sides in cells.
        width: width in pixels of the photo that the boxes shall be in.
        height: its height.
        settings: the thresholds.
    """
    presence = float(maps["presence"])
    mask = with_edge(maps["mask"], settings.mask)
    if presence < settings.presence:
        return Found((), presence, mask)
    least_share = min(settings.box, settings.box_with_head)
    bodies = _peaks(maps["body"], width, height, least=0.0, least_share=least_share)
    if not bodies:  # nothing with an area
        return Found((), presence, mask)
    best = bodies[0][1]
    heads = _peaks(maps["head"], width, height, least=settings.head)
    dogs: list[FoundDog] = []
    for box, score in bodies:
        share = score / max(best, _NO_SCORE)
        own = _head_in(box, heads)
        if share < settings.box and not (
            own is not None and share >= settings.box_with_head and all(iou(box, dog.box) < _OTHER_DOG for dog in dogs)
        ):
            continue
        head, head_score = (None, 0.0) if own is None else heads.pop(own)
        # A body that is hardly seen may belong to a head that is plain to see.
        dogs.append(FoundDog(box, head, presence * max(share, head_score)))
    return Found(tuple(sorted(dogs, key=lambda dog: dog.box[0] + dog.box[2])), presence, mask)


def with_edge(mask: NDArray[np.float32], edge: float) -> NDArray[np.float32]:
    """Return a mask with its log-odds shifted so that what was ``edge`` is 0.5.

    Args:
        mask: any shape, in [0, 1].
        edge: above 0 and below 1.
    """
    if edge == 0.5:
        return mask
    inside, outside = mask * (1 - edge), (1 - mask) * edge
    return (inside / (inside + outside)).astype(np.float32)


def _peaks(
    found: NDArray[np.float32], width: int, height: int, least: float, least_share: float = 0.0
) -> list[tuple[Box, float]]:
    """Return boxes and scores of the local maxima, best first, none twice.

    Args:
        found: ``(5, rows, columns)``: a score, and distances to a box's sides.
        width: of the photo.
        height: of the photo.
        least: the score that one has at least.
        least_share: the share of the best one's score that one has at least.
    """
    scores, (left, up, right, down) = found[0], found[1:]
    rows, columns = scores.shape
    padded = np.pad(scores, 1, constant_values=-1.0)
    around = np.stack([padded[dy : dy + rows, dx : dx + columns] for dy in range(3) for dx in range(3)])
    peaks = np.argwhere((scores >= around.max(axis=0)) & (scores >= least))
    kept: list[tuple[Box, float]] = []
    for row, column in sorted(peaks.tolist(), key=lambda at: -float(scores[at[0], at[1]])):
        x, y = column + 0.5, row + 0.5
        at = (row, column)
        if kept and float(scores[at]) / max(kept[0][1], _NO_SCORE) < least_share:
            break
        box = clipped(
            (
                float(x - left[at]) * width / columns,
                float(y - up[at]) * height / rows,
                float(x + right[at]) * width / columns,
                float(y + down[at]) * height / rows,
            ),
            width,
            height,
        )
        if area(box) > 0 and all(iou(box, other) < _SAME_DOG for other, _ in kept):
            kept.append((box, float(scores[at])))
    return kept


def _head_in(body: Box, heads: list[tuple[Box, float]]) -> int | None:
    """Return the place of the best-scored head that lies in a body, or None."""
    return next((i for i, (head, _) in enumerate(heads) if inside(head, body) >= _HEAD_INSIDE), None)
