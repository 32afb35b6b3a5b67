"""Maps that ask nothing of a model but its answers: the references that others are held against.

`occlusion_map` hides one part after the other (Zeiler & Fergus 2014, arXiv:1311.2901);
`rise_map` hides many at once, at random (Petsiuk et al. 2018, arXiv:1806.07421).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.boxes import Box
from dogmood.lab.explain.probe import Answer
from dogmood.photo import Pixels

PLACES = 7
"""Places of the hidden part along each side of what is shown."""

_PART = 0.25
"""Side of the hidden part as a share of what is shown."""

_CELLS = 8
_SHOWN = 0.5
_BATCH = 32


def occlusion_map(
    answer: Answer, pixels: Pixels, blank: Pixels, shown: Box, places: int = PLACES
) -> NDArray[np.float32]:
    """Return by how much the answer falls when each part is hidden.

    Args:
        answer: what is watched.
        pixels: ``(h, w, 3)`` uint8 RGB.
        blank: of the same shape: what hides.
        shown: the box to hide parts of, in pixels.
        places: along each side.

    Returns:
        ``(places, places)`` float32 over the box: positive where the part speaks for the answer.
    """
    answers = answer([pixels, *(_hidden(pixels, blank, box) for box in part_boxes(shown, places))])
    result: NDArray[np.float32] = (answers[0] - answers[1:]).reshape(places, places).astype(np.float32)
    return result


def part_boxes(shown: Box, places: int = PLACES) -> list[Box]:
    """Return the parts that `occlusion_map` hides, row by row; neighbours overlap."""
    x0, y0, x1, y1 = shown
    wide, high = (x1 - x0) * _PART, (y1 - y0) * _PART
    steps = np.linspace(0, 1, places)
    lefts, tops = x0 + steps * (x1 - x0 - wide), y0 + steps * (y1 - y0 - high)
    return [(float(x), float(y), float(x + wide), float(y + high)) for y in tops for x in lefts]


def mean_in_parts(saliency: NDArray[np.float32], width: float, height: float, shown: Box) -> NDArray[np.float32]:
    """Return a map's mean in each of `part_boxes`, ``(places, places)``: to hold it against `occlusion_map`."""
    rows, columns = saliency.shape
    means = []
    for x0, y0, x1, y1 in part_boxes(shown):
        left, right = round(x0 * columns / width), round(x1 * columns / width)
        up, down = round(y0 * rows / height), round(y1 * rows / height)
        means.append(saliency[up : max(down, up + 1), left : max(right, left + 1)].mean())
    return np.array(means, np.float32).reshape(PLACES, PLACES)


def rise_map(
    answer: Answer, pixels: Pixels, blank: Pixels, shown: Box, masks: int = 1000, seed: int = 0
) -> NDArray[np.float32]:
    """Return the mean answer where each spot was left to see, over random masks, less the mean of all.

    Args:
        answer: what is watched.
        pixels: ``(h, w, 3)`` uint8 RGB.
        blank: of the same shape: what hides.
        shown: the box to hide parts of, in pixels.
        masks: how many.
        seed: of the masks.

    Returns:
        ``(rows, columns)`` float32 over the box, a pixel a value.
    """
    random = np.random.default_rng(seed)
    x0, y0, x1, y1 = (round(edge) for edge in shown)
    total, seen = np.zeros((y1 - y0, x1 - x0)), np.zeros((y1 - y0, x1 - x0))
    weighed = 0.0
    for start in range(0, masks, _BATCH):
        some = [_rise_mask(random, x1 - x0, y1 - y0) for _ in range(min(_BATCH, masks - start))]
        answers = answer([_hidden(pixels, blank, shown, mask[..., None]) for mask in some])
        weighed += float(answers.sum())
        total += np.tensordot(answers, np.stack(some), axes=1)
        seen += np.sum(some, axis=0)
    result: NDArray[np.float32] = (total / np.maximum(seen, 1e-9) - weighed / masks).astype(np.float32)
    return result


def _hidden(pixels: Pixels, blank: Pixels, box: Box, seen: NDArray[np.float32] | float = 0.0) -> Pixels:
    """Return a copy that is blank in a box, but for the share of each pixel that is left to see."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    photo = pixels.copy()
    part = pixels[y0:y1, x0:x1] * seen + blank[y0:y1, x0:x1] * (1 - seen)
    photo[y0:y1, x0:x1] = (part + 0.5).astype(np.uint8)
    return photo


def _rise_mask(random: np.random.Generator, wide: int, high: int) -> NDArray[np.float32]:
    """Return ``(high, wide)`` in [0, 1]: coarse random cells, stretched and shifted."""
    cells = (random.random((_CELLS + 1, _CELLS + 1)) < _SHOWN).astype(np.float32)
    x, y = random.random(2)
    box = (x, y, x + _CELLS, y + _CELLS)
    stretched = Image.fromarray(cells).resize((wide, high), Image.Resampling.BILINEAR, box=box)
    result: NDArray[np.float32] = np.clip(np.asarray(stretched), 0, 1)
    return result
