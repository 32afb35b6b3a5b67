"""Deletion and insertion (Petsiuk et al. 2018, RISE, arXiv:1806.07421).

If a map tells the truth, a reading falls soon when what the map calls important is
taken out of the photo, and rises soon when that is put into a blurred one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from dogmood.boxes import Box
from dogmood.crop import FILL
from dogmood.lab.explain.probe import Answer
from dogmood.photo import Pixels

STEPS = 10
_BLUR = 1 / 12
"""Radius of the blur as a share of what is shown."""


def blanked(pixels: Pixels) -> Pixels:
    """Return a photo of nothing but the colour that stands beyond a photo's edge in training."""
    result = np.empty_like(pixels)
    result[:] = FILL
    return result


def blurred(pixels: Pixels, shown: Box) -> Pixels:
    """Return the photo so blurred that no face is left."""
    radius = max(shown[2] - shown[0], shown[3] - shown[1]) * _BLUR
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def removal_curves(
    answer: Answer, before: Pixels, after: Pixels, maps: Sequence[NDArray[np.float32]], shown: Box, steps: int = STEPS
) -> NDArray[np.float64]:
    """Change a photo into another, most important spots first, and watch the answer.

    Args:
        answer: what is watched.
        before: ``(h, w, 3)`` uint8.
        after: what takes its place, of the same shape.
        maps: ``(rows, columns)`` each, over the whole photo: what to change first.
        shown: the box that matters; spots outside it are left alone.
        steps: of equal area.

    Returns:
        ``(maps, steps + 1)``: the answers, from the unchanged to the changed photo.
    """
    ranks = [_ranks(one, before.shape[:2], shown) for one in maps]
    photos = [before, _mixed(before, after, ranks[0] < 1)]
    for rank in ranks:
        photos += [_mixed(before, after, rank < step / steps) for step in range(1, steps)]
    answers = answer(photos)
    first, last, between = answers[0], answers[1], answers[2:].reshape(len(maps), steps - 1)
    ends = np.ones((len(maps), 1))
    return np.hstack([first * ends, between, last * ends])


def area_under(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area under each curve over the changed share, by trapezoids."""
    result: NDArray[np.float64] = (curves[..., 1:] + curves[..., :-1]).mean(axis=-1) / 2
    return result


def _ranks(saliency: NDArray[np.float32], shape: tuple[int, ...], shown: Box) -> NDArray[np.float64]:
    """Return for each pixel the share of shown ones that come before it; 1 and above outside."""
    stretched = Image.fromarray(saliency).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    x0, y0, x1, y1 = (round(edge) for edge in shown)
    part = np.asarray(stretched)[y0:y1, x0:x1]
    # Where a map says nothing, its order is chance, not left before right.
    chance = np.random.default_rng(0).random(part.size)
    order = np.lexsort((chance, -part.ravel()))
    ranks = np.empty(part.size)
    ranks[order] = np.arange(part.size) / max(part.size, 1)
    result = np.ones(shape[:2])
    result[y0:y1, x0:x1] = ranks.reshape(part.shape)
    return result


def _mixed(before: Pixels, after: Pixels, where: NDArray[np.bool_]) -> Pixels:
    return np.where(where[..., None], after, before)
