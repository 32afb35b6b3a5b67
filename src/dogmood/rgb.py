"""Pixels of any mode as 8-bit RGB, in little more memory than they take themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import PIL.Image

_AT_ONCE = 1 << 20
"""Numbers that are scaled to 8 bits at once."""


def to_rgb(image: PIL.Image.Image, enough: int | None = None) -> PIL.Image.Image:
    """Return a picture as 8-bit RGB, transparency laid over white.

    Args:
        image: loaded, of any mode.
        enough: shrink the picture by a whole number while its long side stays at least
            this; None leaves its size alone.
    """
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_to_8_bit(np.asarray(image), image.mode))
    clear = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    # Shrunk before it gets more channels, where it can be, so that memory stays small.
    mode = "RGBA" if clear else "L" if image.mode in ("1", "L") else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    share = 1 if enough is None else max(image.size) // enough
    if share > 1:
        image = image.reduce(share)
    if clear:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_8_bit(values: NDArray[np.generic], mode: str) -> NDArray[np.uint8]:
    rows = max(1, _AT_ONCE // max(1, values.shape[1]))
    # Piece by piece: as float32 a whole picture would take four to eight times its size.
    pieces = [values[at : at + rows] for at in range(0, len(values), rows)]
    top = max((float(_numbers(piece).max(initial=0.0)) for piece in pieces), default=0.0)
    low, high = (1.0, 255.0) if mode == "F" else (255.0, 65535.0)
    full = low if top <= low else high
    scaled = np.empty(values.shape, np.uint8)
    for at, piece in zip(range(0, len(values), rows), pieces, strict=True):
        scaled[at : at + rows] = np.clip(_numbers(piece), 0, full) * (255.0 / full) + 0.5
    return scaled


def _numbers(values: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), copy=False)
