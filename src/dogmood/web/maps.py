"""A reading's JSON with where the network looked: small greyscale PNGs as data URLs."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.emotions import EMOTIONS
from dogmood.reading import Reading

_FAST = 1
"""zlib's level: the maps are small, and somebody waits for them."""


def reading_with_maps(reading: Reading) -> dict[str, Any]:
    """Return `Reading.to_dict` with the key ``saliency`` on each dog that has maps.

    It holds, for each emotion, a data URL of an 8-bit greyscale PNG that covers the
    whole photo: 255 where most speaks for the emotion, 0 where nothing does.
    """
    whole = reading.to_dict()
    for written, dog in zip(whole["dogs"], reading.dogs, strict=True):
        if dog.saliency is not None:
            written["saliency"] = {emotion: data_url(one) for emotion, one in dog.saliency.items()}
    return whole


def data_url(saliency: NDArray[np.float32]) -> str:
    """Return a map ``(rows, columns)`` in [0, 1] as a greyscale PNG in a data URL."""
    grey = Image.fromarray((np.clip(saliency, 0, 1) * 255 + 0.5).astype(np.uint8))
    file = io.BytesIO()
    grey.save(file, "PNG", compress_level=_FAST)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"


SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "With `explain`: for each emotion an 8-bit greyscale PNG over the whole photo as a data URL; "
    "white where most speaks for the emotion, black where nothing does.",
    "propertyNames": {"enum": list(EMOTIONS)},
    "additionalProperties": {"type": "string", "contentMediaType": "image/png", "pattern": "^data:image/png;base64,"},
}
"""JSON Schema of the added key."""
