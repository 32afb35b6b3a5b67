"""Where the network looked, in photo coordinates.

The classifier's maps say what each cell of a crop adds to each emotion's logit.
Painted onto the photo as a density (addition per area), views may overlap and still
sum up.  Several
crops of one view are averaged, each spot over the crops that show it.
Since a softmax sees only differences, an emotion's map is what a cell adds to it
*more than to the other emotions*.  And since a map is about places, what half the cells
of a view say alike is left out (the median): the cells of a transformer know of one
another, and each repeats what the whole picture shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.classifier import Evidence
from dogmood.crop import Square
from dogmood.emotions import EMOTIONS

MAP_SIDE = 256
"""The long side of a map in its own pixels; finer than any cell of the network."""

_FADING_STEPS = 32

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
    density = densities(evidence, width, height, emotions)
    return {emotion: _to_unit(one) for emotion, one in zip(emotions, density, strict=True)}


def densities(
    evidence: Sequence[Evidence],
    width: int,
    height: int,
    emotions: Sequence[str] = EMOTIONS,
    with_alike: bool = False,
) -> NDArray[np.float32]:
    """Return what `saliency_maps` shows the positive part of.

    Args:
        evidence: as for `saliency_maps`.
        width: likewise.
        height: likewise.
        emotions: likewise.
        with_alike: keep what half the cells of a view say alike, so that the integral
            over the photo is what the views add to each emotion's logit.

    Returns:
        ``(emotions, rows, columns)`` float32, in logits per pixel.
    """
    columns = [EMOTIONS.index(emotion) for emotion in emotions]
    scale = MAP_SIDE / max(width, height)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    density = np.zeros((len(emotions), *shape), np.float32)
    for view in zip(*(zip(item.squares, item.maps, strict=True) for item in evidence), strict=True):
        crops = [(square, _per_area(maps[columns], square, scale)) for square, maps in view]
        if not with_alike:
            alike = np.median(np.concatenate([cells.reshape(len(columns), -1) for _, cells in crops], axis=1), axis=1)
            crops = [(square, cells - alike[:, None, None]) for square, cells in crops]
        if len(crops) == 1:
            _paint(density, crops[0][1], _pixels(crops[0][0], scale))
        else:
            density += _average(crops, density.shape, scale)
    return density


def _per_area(maps: Map, square: Square, scale: float) -> Map:
    """Return what each cell adds to each emotion more than to the others, per pixel of the canvas."""
    centred: Map = maps - maps.mean(axis=0)
    result: Map = centred / np.float32(max((square.side * scale) ** 2, 1.0))
    return result


def _average(crops: Sequence[tuple[Square, Map]], shape: tuple[int, ...], scale: float) -> Map:
    """Return the mean of what several crops of one view say of each spot.

    A crop counts less towards its edges, so that none shows where another one ends.
    """
    total: Map = np.zeros(shape, np.float32)
    weights: Map = np.zeros((1, *shape[1:]), np.float32)
    for square, density in crops:
        where = _pixels(square, scale)
        weight = np.zeros_like(weights)
        _paint(weight, _fading(_FADING_STEPS)[None], where)
        weight = np.maximum(weight, 0)
        painted = np.zeros_like(total)
        _paint(painted, density, where)
        total += painted * weight
        weights += weight
    total /= np.maximum(weights, np.float32(1e-6))
    return total


def _fading(steps: int) -> Map:
    """Return ``(steps, steps)`` weights of a raised cosine: 1 in the middle, near 0 at the edges."""
    wave = np.sin(np.pi * (np.arange(steps, dtype=np.float32) + 0.5) / steps) ** 2
    result: Map = np.outer(wave, wave).astype(np.float32)
    return result


def _pixels(square: Square, scale: float) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(edge * scale) for edge in square.box)
    return x0, y0, x1, y1


def _paint(canvas: Map, small: Map, where: tuple[int, int, int, int]) -> None:
    """Add maps ``(n, r, c)``, stretched over a rectangle that may leave the canvas ``(n, rows, columns)``."""
    x0, y0, x1, y1 = where
    rows, columns = canvas.shape[1:]
    left, up, right, down = max(x0, 0), max(y0, 0), min(x1, columns), min(y1, rows)
    if left >= right or up >= down:
        return
    # Only the part on the canvas is computed: `box` names it in cells.
    across, along = small.shape[2] / (x1 - x0), small.shape[1] / (y1 - y0)
    box = ((left - x0) * across, (up - y0) * along, (right - x0) * across, (down - y0) * along)
    size = (right - left, down - up)
    # One after the other: as products of matrices this is quicker on an idle machine,
    # and ten times slower where BLAS's threads wait for a busy core.
    for on, one in zip(canvas, small, strict=True):
        on[up:down, left:right] += np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC, box=box))


def _to_unit(density: Map) -> Map:
    positive = np.maximum(density, 0)
    top = positive.max()
    return positive / top if top > 0 else positive
