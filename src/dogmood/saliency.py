"""Where the network looked, in photo coordinates.

The classifier's maps say what each cell of a crop adds to each emotion's logit.
Painted onto the photo as a density (addition per area), views and crops may overlap
and still sum up: the integral over any region is that region's share in the logit.
Since a softmax sees only differences, an emotion's map is what a cell adds to it
*more than to the other emotions*.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.classifier import Evidence
from dogmood.emotions import EMOTIONS

MAP_SIDE = 384
"""The long side of a map in its own pixels; finer than any cell of the network."""

Map = NDArray[np.float32]


def saliency_maps(
    evidence: Sequence[Evidence], width: int, height: int, emotions: Sequence[str] = EMOTIONS
) -> dict[str, Map]:
    """Return a map for each emotion.

    Args:
        evidence: the classifier's maps of one dog, with the squares they cover.
        width: width of the photo in the pixels that the squares are in.
        height: its height.
        emotions: those to compare.

    Returns:
        For each emotion ``(rows, columns)`` float32 in [0, 1] over the whole photo,
        1 where most speaks for it; all 0 where nothing does.
    """
    columns = [EMOTIONS.index(emotion) for emotion in emotions]
    scale = MAP_SIDE / max(width, height)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    density = np.zeros((len(emotions), *shape), np.float32)
    for item in evidence:
        for square, maps in zip(item.squares, item.maps, strict=True):
            chosen = maps[columns]
            centred = chosen - chosen.mean(axis=0)
            x0, y0, x1, y1 = (edge * scale for edge in square.box)
            per_area = centred / max((x1 - x0) * (y1 - y0), 1.0)
            for row, one in enumerate(per_area):
                _paint(density[row], one, (round(x0), round(y0), round(x1), round(y1)))
    return {emotion: _to_unit(one) for emotion, one in zip(emotions, density, strict=True)}


def _paint(canvas: Map, small: Map, where: tuple[int, int, int, int]) -> None:
    """Add a map, stretched over a rectangle that may leave the canvas."""
    x0, y0, x1, y1 = where
    rows, columns = canvas.shape
    left, up, right, down = max(x0, 0), max(y0, 0), min(x1, columns), min(y1, rows)
    if left >= right or up >= down:
        return
    # Only the part on the canvas is computed: `box` names it in cells.
    across, along = small.shape[1] / (x1 - x0), small.shape[0] / (y1 - y0)
    box = ((left - x0) * across, (up - y0) * along, (right - x0) * across, (down - y0) * along)
    size = (right - left, down - up)
    stretched = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC, box=box)
    canvas[up:down, left:right] += np.asarray(stretched)


def _to_unit(density: Map) -> Map:
    positive = np.maximum(density, 0)
    top = positive.max()
    return positive / top if top > 0 else positive
