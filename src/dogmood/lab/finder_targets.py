"""What the finder should answer for a photo: the targets its heads learn.

Labels are partial.  An exact mask tells every pixel; a photo without a dog tells
that no pixel is dog; a box tells what lies outside it.  Each target therefore says
which answers are *allowed*, and what is unknown costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dogmood.lab.nets.finder import BACKDROP, DOG, MASK_FACTOR, OTHER

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Truth:
    """What is known of one photo; boxes as shares of its width and height.

    Attributes:
        dog: whether it shows a dog.
        animal: mask with 1 = animal, 2 = backdrop, 3 = edge, or None.
        species: `DOG` or `OTHER`: what an animal in it is.
        bodies: boxes of all dogs, or None where unknown.
        heads: boxes of all heads, or None where unknown.
        head_sizes: whether the heads' sizes can be learnt from (else only where
            they are).
        head_scored: whether these heads are a dog's, to be found.
        soft: ``(3, rows, columns)`` in [0, 1]: how likely each class is, as another finder
            sees it, on a grid over the photo; or None.
    """

    dog: bool
    animal: NDArray[np.uint8] | None = None
    species: int = OTHER
    bodies: tuple[Corners, ...] | None = None
    heads: tuple[Corners, ...] | None = None
    head_sizes: bool = True
    head_scored: bool = True
    soft: NDArray[np.floating[Any]] | None = None


def mask_target(truth: Truth, rows: int, columns: int) -> Tensor:
    """Return ``(3, 4 rows, 4 columns)`` booleans: the classes allowed at each cell."""
    height, width = rows * MASK_FACTOR, columns * MASK_FACTOR
    allowed = torch.zeros(3, height, width, dtype=torch.bool)
    if truth.animal is not None:
        cells = torch.from_numpy(_nearest(truth.animal, height, width))
        allowed[truth.species] = (cells == 1) | (cells == 3)
        allowed[BACKDROP] = (cells == 2) | (cells == 3)
    elif truth.dog:
        allowed[BACKDROP] = True
        if truth.bodies is None:
            allowed[DOG] = True
        for body in truth.bodies or ():
            allowed[(DOG, *_slices(body, height, width))] = True
    else:
        allowed[BACKDROP] = True
        allowed[OTHER] = True
    return allowed


def soft_target(truth: Truth, allowed: Tensor) -> Tensor:
    """Return ``(3, h, w)``: how likely each allowed class is, summing to 1, or 0 where none of them is.

    Args:
        truth: with a ``soft``.
        allowed: ``(3, h, w)`` booleans: see `mask_target`.
    """
    assert truth.soft is not None
    given = torch.from_numpy(np.ascontiguousarray(truth.soft, np.float32))[None]
    fitted = functional.interpolate(given, allowed.shape[1:], mode="bilinear", align_corners=False)[0] * allowed
    total = fitted.sum(dim=0)
    return torch.where(total > 0.01, fitted / total.clamp(min=0.01), 0.0)


def box_target(boxes: tuple[Corners, ...], rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Return the score map and the distances that a list of boxes asks for.

    Returns:
        ``(rows, columns)`` scores in [0, 1], a bell over the middle of each box;
        and ``(4, rows, columns)`` distances in cells, NaN where no box is near.
    """
    scores = torch.zeros(rows, columns)
    sides = torch.full((4, rows, columns), float("nan"))
    y, x = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
    # Large boxes first, so that where bells overlap the smaller box is learnt.
    for x0, y0, x1, y1 in sorted(boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1])):
        left, right, up, down = x0 * columns, x1 * columns, y0 * rows, y1 * rows
        spread_x, spread_y = max((right - left) / 8, 0.5), max((down - up) / 8, 0.5)
        off_x, off_y = (x - (left + right) / 2) / spread_x, (y - (up + down) / 2) / spread_y
        bell = torch.exp(-(off_x**2 + off_y**2) / 2)
        bell = bell / bell.max()
        near = bell > 0.3
        scores = torch.maximum(scores, bell)
        distances = torch.stack([x - left, y - up, right - x, down - y]).clamp(min=0.05)
        sides[:, near] = distances[:, near]
    return scores, sides


def _slices(box: Corners, height: int, width: int) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box
    return (
        slice(max(0, int(np.floor(y0 * height))), max(1, int(np.ceil(y1 * height)))),
        slice(max(0, int(np.floor(x0 * width))), max(1, int(np.ceil(x1 * width)))),
    )


def _nearest(mask: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    y = ((np.arange(height) + 0.5) * mask.shape[0] / height).astype(int)
    x = ((np.arange(width) + 0.5) * mask.shape[1] / width).astype(int)
    return mask[np.ix_(y, x)]
