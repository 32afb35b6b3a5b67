"""Square cuts of a photo: what the classifier is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dogmood.boxes import Box
from dogmood.photo import Pixels, resized

FILL = (124, 116, 104)
"""RGB of what lies beyond the photo's edge: ImageNet's mean colour."""

_TEN_CROP_SHARE = 0.875
"""Side of each of the ten crops as a share of the whole: 224 of 256, as is usual."""

_CLOSER = 0.8
"""Side of each closer crop as a share of the whole: as close as training has seen."""


@dataclass(frozen=True)
class Square:
    """A square in photo pixels; it may reach beyond the photo."""

    x0: float
    y0: float
    side: float

    @property
    def box(self) -> Box:
        """The square as x0, y0, x1, y1."""
        return self.x0, self.y0, self.x0 + self.side, self.y0 + self.side


def square_around(box: Box, expand: float) -> Square:
    """Return the square about a box's middle, ``expand`` times its longer side."""
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0, 1.0) * expand
    return Square((x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side)


def ten_squares(square: Square) -> tuple[Square, ...]:
    """Return the four corners and the middle of a square; mirrored, they make ten crops."""
    side = square.side * _TEN_CROP_SHARE
    rest = square.side - side
    places = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5))
    return tuple(Square(square.x0 + x * rest, square.y0 + y * rest, side) for x, y in places)


def closer_squares(square: Square) -> tuple[Square, ...]:
    """Return nine smaller squares that lie in a square, three by three, each overlapping the others."""
    side = square.side * _CLOSER
    rest = square.side - side
    steps = (0.0, 0.5, 1.0)
    return tuple(Square(square.x0 + x * rest, square.y0 + y * rest, side) for y in steps for x in steps)


def cut(pixels: Pixels, square: Square, size: int, fill: tuple[int, int, int] = FILL) -> Pixels:
    """Cut a square out of a photo and resize it.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.
        square: where to cut, in pixels of that array.
        size: the side of the result.
        fill: what lies beyond the photo's edge.

    Returns:
        ``(size, size, 3)`` uint8 RGB.
    """
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = (round(edge) for edge in square.box)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    left, up, right, down = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if left >= right or up >= down:
        return _plain(size, fill)
    scale = size / (x1 - x0)
    to_x, to_y = round((left - x0) * scale), round((up - y0) * scale)
    wide = max(1, min(size - to_x, round((right - left) * scale)))
    high = max(1, min(size - to_y, round((down - up) * scale)))
    to_x, to_y = min(to_x, size - wide), min(to_y, size - high)
    part = np.ascontiguousarray(pixels[up:down, left:right])
    shrunk = resized(part, wide, high)
    if (wide, high) == (size, size):
        return shrunk
    result = _plain(size, fill)
    result[to_y : to_y + high, to_x : to_x + wide] = shrunk
    return result


def _plain(size: int, fill: tuple[int, int, int]) -> Pixels:
    result = np.empty((size, size, 3), np.uint8)
    result[:] = fill
    return result
