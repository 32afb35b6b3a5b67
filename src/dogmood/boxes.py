"""Arithmetic on boxes: x0, y0, x1, y1 in pixels, y downwards."""

from __future__ import annotations

from typing import TypeAlias

Box: TypeAlias = tuple[float, float, float, float]


def area(box: Box) -> float:
    """Return the area; 0 for an empty box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def intersection(a: Box, b: Box) -> Box:
    """Return the common part; it may be empty."""
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def iou(a: Box, b: Box) -> float:
    """Return intersection over union, in [0, 1]."""
    common = area(intersection(a, b))
    union = area(a) + area(b) - common
    return common / union if union > 0 else 0.0


def inside(part: Box, whole: Box) -> float:
    """Return the share of ``part`` that lies within ``whole``, in [0, 1]."""
    size = area(part)
    return area(intersection(part, whole)) / size if size > 0 else 0.0


def clipped(box: Box, width: float, height: float) -> Box:
    """Return the part of a box that lies in a picture."""
    return intersection(box, (0.0, 0.0, width, height))


def scaled(box: Box, x: float, y: float) -> Box:
    """Return the box with its coordinates multiplied."""
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y
