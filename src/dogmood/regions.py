"""Where it looked, in words: how much of a map falls on which part of the dog.

The parts of the head lie in the head box by a rule of geometry.  First comes the
nose: dogs turn their heads, and a head far to the left of its body mostly looks left,
so that the nose's place in the head box follows from where the head lies on the body
and from the box's shape.  `NOSE` was fitted by least squares to the noses of the 319
dogs of the Oxford-IIIT Pet photos (train and valid) whose nose lies in the head box
that the finder found; `python -m dogmood.lab.explain.nose` does it again.  Muzzle,
eyes and ears then lie about the nose and the middle of the box.  What belongs to the
dog at all, the finder's mask says, cut at a half; but muzzle and eyes are dog wherever
they lie in the head box, since masks have holes there (by the exact masks of 56
held-out dogs, 95 % of the one and 99 % of the other is dog).

On 80 held-out dogs the rule's nose was 0.18 of the head's size from the true one, and
84 % of the true noses lay in what it calls the muzzle (0.22 and 78 % with the heads of
the finder that ships now).  A ridge regression on the
head's gradients came only 0.02 nearer: too little for one more thing to learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box

if TYPE_CHECKING:
    from dogmood.finder import FoundDog

REGIONS: tuple[str, ...] = ("muzzle", "eyes", "ears", "rest_of_head", "body", "backdrop")
"""The parts that a photo is divided into; every spot belongs to one."""

HEAD_REGIONS = REGIONS[:4]

Map = NDArray[np.float32]
Shares = dict[str, float]

_MASK_CUT = 0.5

NOSE = (
    # 1, head's place on the body (x, y), head's share of the body (wide, high), shape
    (0.620, 0.665, -0.015, 0.004, 0.034, -0.090),
    (1.215, 0.051, 0.193, 0.043, -0.013, -0.500),
)
"""Coefficients of the nose's x and y as shares of the head box: see `nose_in_head`."""


def shares_of(maps: Mapping[str, Map], regions: Map) -> dict[str, Shares]:
    """Return how much of each map falls on each region.

    Args:
        maps: for each emotion ``(rows, columns)`` >= 0 over the whole photo.
        regions: what `divide` returned for maps of that shape.

    Returns:
        For each emotion the share of its map on each region, in [0, 1], summing to 1.
        An emotion for which nothing speaks (an empty map) is left out.  Where no head
        was found, the parts of the head are left out.
    """
    has_head = regions[: len(HEAD_REGIONS)].any()
    names = REGIONS if has_head else REGIONS[len(HEAD_REGIONS) :]
    told = {}
    for emotion, one in maps.items():
        sums = np.array([(region * one).sum() for region in regions[-len(names) :]], float)
        if sums.sum() > 0:
            told[emotion] = dict(zip(names, (sums / sums.sum()).tolist(), strict=True))
    return told


def in_words(shares: Mapping[str, float], named: int = 2) -> str:
    """Return the regions with the largest shares, such as "48 % muzzle, 20 % eyes"; empty without shares."""
    most = sorted(shares.items(), key=lambda item: -item[1])[:named]
    return ", ".join(f"{100 * share:.0f} % {region.replace('_', ' ')}" for region, share in most)


def divide(shape: tuple[int, ...], width: float, height: float, dog: FoundDog, mask: Map) -> Map:
    """Divide a photo into the regions of one dog.

    Args:
        shape: rows and columns of the result.
        width: of the photo, in the pixels that the dog's boxes are in.
        height: likewise.
        dog: the dog; another dog in the photo is backdrop to it.
        mask: the finder's mask, any grid over the whole photo, in [0, 1].

    Returns:
        ``(6, rows, columns)`` float32 in `REGIONS` order: 1 where a spot belongs to the
        region, else 0; each spot belongs to one.
    """
    from PIL import Image

    rows, columns = shape
    fine = np.asarray(Image.fromarray(mask).resize((columns, rows), Image.Resampling.BILINEAR))
    masked = fine >= _MASK_CUT
    x = (np.arange(columns, dtype=np.float32) + 0.5) * (width / columns)
    y = ((np.arange(rows, dtype=np.float32) + 0.5) * (height / rows))[:, None]
    of_dog = masked & _within(dog.box, x, y)
    result = np.zeros((len(REGIONS), rows, columns), np.float32)
    taken = np.zeros(shape, bool)
    if dog.head is not None:
        parts = _parts(dog.head, nose_in_head(dog.head, dog.box), x, y)
        inner = (parts[0] | parts[1]) & parts[-1]
        # A head may reach a little beyond the body's box.
        of_dog = np.where(np.logical_or.reduce(parts), masked | inner, of_dog)
        for i, part in enumerate(parts):
            result[i] = of_dog & part & ~taken
            taken |= part
    result[REGIONS.index("body")] = of_dog & ~taken
    result[REGIONS.index("backdrop")] = ~of_dog
    return result


def nose_in_head(head: Box, body: Box) -> tuple[float, float]:
    """Return where in the head box the nose should be, each way as a share of the box, in [0, 1]."""
    facts = facts_of_head(head, body)
    x, y = (sum(a * b for a, b in zip(row, facts, strict=True)) for row in NOSE)
    return min(max(x, 0.2), 0.8), min(max(y, 0.45), 0.85)


def facts_of_head(head: Box, body: Box) -> tuple[float, ...]:
    """Return what the nose's place is told from: see `NOSE`."""
    wide, high = max(head[2] - head[0], 1e-6), max(head[3] - head[1], 1e-6)
    across, along = max(body[2] - body[0], 1e-6), max(body[3] - body[1], 1e-6)
    return (
        1.0,
        (head[0] + head[2] - body[0] - body[2]) / 2 / across,
        (head[1] + head[3] - body[1] - body[3]) / 2 / along,
        wide / across,
        high / along,
        wide / high,
    )


def _within(box: Box, x: Map, y: Map) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])
    return inside


def _parts(head: Box, nose: tuple[float, float], x: Map, y: Map) -> tuple[NDArray[np.bool_], ...]:
    """Return where muzzle, eyes, ears and the rest of the head lie; earlier ones come first where they overlap."""
    u = (x - head[0]) / max(head[2] - head[0], 1e-6)
    v = (y - head[1]) / max(head[3] - head[1], 1e-6)
    nose_x, nose_y = nose
    # The face turns with the nose, less than the nose does.
    face_x = 0.5 + 0.5 * (nose_x - 0.5)
    # The muzzle alone may leave the box: an open mouth often hangs out of it.
    muzzle = _ellipse(u - nose_x, v - (nose_y + 0.08), 0.27, 0.25)
    in_head = _within(head, x, y)
    eyes = in_head & _ellipse(u - face_x, v - (nose_y - 0.27), 0.32, 0.13)
    ears = in_head & (v < nose_y) & ~_ellipse(u - face_x, v - (nose_y - 0.1), 0.36, 0.42)
    return muzzle, eyes, ears, in_head


def _ellipse(across: Map, along: Map, wide: float, high: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (across / wide) ** 2 + (along / high) ** 2 <= 1
    return inside
