"""Where a map lies: on the dog, on its head, and where a map that knows nothing would lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box
from dogmood.classifier import Evidence
from dogmood.crop import Square
from dogmood.emotions import EMOTIONS
from dogmood.saliency import densities

Map = NDArray[np.float32]

_SPREAD = 0.25
"""Standard deviation of a centred Gaussian, as a share of the side."""

_CELLS = 15


def energy_inside(saliency: Map, inside: NDArray[np.bool_], counted: NDArray[np.bool_] | None = None) -> float:
    """Return the share of a map that lies inside a mask, in [0, 1]; nan for an empty map.

    The energy-based pointing game of Wang et al. 2020 (Score-CAM, arXiv:1910.01279).

    Args:
        saliency: ``(rows, columns)``, at least 0.
        inside: of the same shape.
        counted: spots to count at all; all unless said.
    """
    kept = saliency if counted is None else saliency * counted
    whole = float(kept.sum())
    return float((kept * inside).sum()) / whole if whole > 0 else float("nan")


def points_into(saliency: Map, box: Box, width: float, height: float) -> bool:
    """Return whether a map is strongest inside a box: the pointing game of Zhang et al. 2016 (arXiv:1608.00507).

    Args:
        saliency: over the whole photo.
        box: in pixels of the photo; no margin is added.
        width: of the photo.
        height: likewise.
    """
    rows, columns = saliency.shape
    row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
    x, y = (column + 0.5) * width / columns, (row + 0.5) * height / rows
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def gaussian(rows: int, columns: int) -> Map:
    """Return a Gaussian about the middle, 1 at its top: where photographers put what they mean."""
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    across = ((x + 0.5) / columns - 0.5) / _SPREAD
    along = ((y + 0.5) / rows - 0.5) / _SPREAD
    result: Map = np.exp(-(across**2 + along**2) / 2).astype(np.float32)
    return result


def gaussian_in_views(squares: Sequence[Square], width: int, height: int) -> Map:
    """Return the map of a classifier that looks at the middle of each view, whatever it shows.

    It knows where the finder saw body and head: the strictest of the baselines.
    """
    maps = np.zeros((len(squares), len(EMOTIONS), _CELLS, _CELLS), np.float32)
    maps[:, 0] = gaussian(_CELLS, _CELLS) / _CELLS**2
    density = densities([Evidence(tuple(squares), maps)], width, height)[0]
    result: Map = np.maximum(density, 0)
    return result


def shuffled(maps: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return maps ``(views, 5, rows, columns)`` with their cells in another order, the same for all emotions.

    As a baseline it is as coarse and as uneven as the map itself; only the places are wrong.
    """
    views, classes, rows, columns = maps.shape
    flat = maps.reshape(views, classes, rows * columns)
    mixed = np.stack([view[:, random.permutation(rows * columns)] for view in flat])
    return mixed.reshape(maps.shape)
