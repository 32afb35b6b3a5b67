"""Small pictures of moments, cut from the photos and videos where they still are."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path

import numpy as np

from dogmood.boxes import clipped, scaled
from dogmood.crop import square_around
from dogmood.emotions import COLOURS
from dogmood.errors import DogMoodError
from dogmood.files import is_file
from dogmood.photo import Photo, open_photo
from dogmood.report.moments import Moment
from dogmood.video import Video

SIDE = 240
"""The longer side of a thumbnail in pixels."""

_AROUND = 1.3
"""A thumbnail's side over the longer side of the dog's box."""

_AT_ONCE = 1000.0
"""Samples a second that take every frame."""


def thumbnail(moment: Moment, folder: Path) -> str | None:
    """Return a picture of a moment as a ``data:`` address, or None where there is none any more.

    Args:
        moment: what is shown.
        folder: where sources are looked for that are not where their readings say.
    """
    from PIL import Image, ImageDraw

    try:
        photo = _photo_of(moment, folder)
    except DogMoodError:
        return None
    if photo is None:
        return None
    height, width = photo.pixels.shape[:2]
    x, y = photo.scale
    box = scaled(moment.box, 1 / x, 1 / y)
    around = clipped(square_around(box, _AROUND).box, width, height)
    left, up, right, down = (round(edge) for edge in around)
    if right <= left or down <= up:  # a box outside of what the file shows now
        return None
    image = Image.fromarray(np.ascontiguousarray(photo.pixels[up:down, left:right]))
    image.thumbnail((SIDE, SIDE))
    scale = image.width / (right - left)
    drawn = scaled((box[0] - left, box[1] - up, box[2] - left, box[3] - up), scale, scale)
    ImageDraw.Draw(image).rectangle(drawn, outline=COLOURS[moment.emotion], width=3)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _photo_of(moment: Moment, folder: Path) -> Photo | None:
    if moment.sent:  # a file of that name here is another one
        return None
    for path in (Path(moment.source), folder / moment.source):
        if is_file(path):
            return open_photo(path) if moment.time is None else _frame_of(path, moment.time)
    return None


def _frame_of(path: Path, time: float) -> Photo | None:
    # Written times are rounded to milliseconds: the first frame from one before on.
    after = math.floor(time * _AT_ONCE) - 2
    with Video(path) as video:
        frame = next(video.samples(_AT_ONCE, after, seek=time), None)
        return None if frame is None else Photo(frame.pixels, frame.width, frame.height, str(path))
