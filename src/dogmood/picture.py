"""Pictures of readings: boxes and labels, and where the network looked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dogmood.atomic import atomic_write
from dogmood.boxes import Box, clipped, scaled
from dogmood.crop import square_around
from dogmood.emotions import COLOURS
from dogmood.photo import Photo, Pixels, resized
from dogmood.reading import DogReading, Reading
from dogmood.regions import in_words

LONG_SIDE = 1280
"""Pictures are drawn at most this large."""

_PANEL = 300
"""Long side of a strip's panels."""

_LEAST_PANEL = 190
"""Width of a strip's panels where the dog is slim: a label must fit."""

_LINE = 26
"""Height of a strip's lines of text."""

_GAP = 4
_AROUND = 1.25
"""Side of the square that a strip shows over the box's longer side: a little more than the classifier sees."""

_MAP_COLOURS = np.array(
    # Nine anchors of matplotlib's "inferno" (CC0): even steps of lightness, so it
    # reads the same to colour-blind eyes and in grey print.
    [
        (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85),
        (227, 89, 51), (249, 140, 10), (249, 201, 50), (252, 255, 164),
    ],
    np.float32,
)  # fmt: skip

_STRONGEST = 0.75
"""Opacity of a map where it is 1."""


def annotated(photo: Photo, reading: Reading) -> Image.Image:
    """Return the photo with each dog's box, label and map of its emotion.

    Maps are drawn where the reading has them.  Without a dog, the picture says so.
    """
    pixels = _fitted(photo.pixels, LONG_SIDE)
    for dog in reading.dogs:
        if dog.saliency is not None:
            pixels = overlay(pixels, dog.saliency[dog.emotion])
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    shrunk = image.width / photo.width, image.height / photo.height
    for dog in reading.dogs:
        _draw_dog(pen, image.size, dog, shrunk)
    if not reading.dogs:
        _label(pen, image.size, (0, 0), "no dog", "#444444")
    return image


def strip(photo: Photo, dog: DogReading) -> Image.Image:
    """Return one dog's strip: the photo, then for each emotion its map, and the map over the photo.

    Panels show the dog and a little around it, which is all that the network was
    shown.  The emotions stand in the order of their probability; below each, where
    the reading tells it, is what the map falls on most.

    Raises:
        ValueError: the reading was made without ``explain``.
    """
    if dog.saliency is None:
        raise ValueError("A strip needs a reading made with explain=True.")
    part = _around(dog.box, photo)
    panel = _panel(photo.pixels, part)
    faded = in_grey(panel)
    high, wide = panel.shape[:2]
    sheet = Image.new("RGB", ((wide + _GAP) * (1 + len(dog.saliency)) - _GAP, 2 * (high + _LINE) + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    _bar(pen, (0, 0, wide), "photo", "#444444")
    sheet.paste(Image.fromarray(panel), (0, _LINE))
    _legend(sheet, (0, _LINE + high + _GAP, wide, high))
    for i, (emotion, probability) in enumerate(dog.sorted_probabilities(), start=1):
        x = i * (wide + _GAP)
        small = _map_part(dog.saliency[emotion], part, (wide, high))
        _bar(pen, (x, 0, wide), f"{emotion}: {probability:.2%}", COLOURS[emotion])
        sheet.paste(Image.fromarray(coloured(small)), (x, _LINE))
        sheet.paste(Image.fromarray(overlay(faded, small)), (x, _LINE + high + _GAP))
        words = in_words((dog.looked_at or {}).get(emotion, {}))
        pen.text((x + wide / 2, sheet.height - _LINE / 2), words, fill="black", font=_font(13), anchor="mm")
    return sheet


def coloured(saliency: NDArray[np.float32]) -> Pixels:
    """Return a map in [0, 1] as ``(rows, columns, 3)`` uint8 RGB: black where it is 0, light yellow where it is 1."""
    result: Pixels = (_in_colour(np.clip(saliency, 0, 1)) + 0.5).astype(np.uint8)
    return result


def in_grey(pixels: Pixels) -> Pixels:
    """Return a photo without its colours, still RGB: a map's colours stand out on any coat."""
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def overlay(pixels: Pixels, saliency: NDArray[np.float32]) -> Pixels:
    """Lay a map in [0, 1] over a photo; where it is 0 the photo stays as it is.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.
        saliency: ``(rows, columns)`` over the whole photo.
    """
    height, width = pixels.shape[:2]
    stretched = Image.fromarray(saliency).resize((width, height), Image.Resampling.BILINEAR)
    strength = np.clip(np.asarray(stretched), 0, 1)
    colour = _in_colour(strength)
    alpha = (strength**0.7 * _STRONGEST)[..., None]
    mixed: Pixels = (pixels * (1 - alpha) + colour * alpha + 0.5).astype(np.uint8)
    return mixed


def save_picture(image: Image.Image, path: Path) -> None:
    """Write a PNG that is complete or absent.

    Raises:
        UsageError: the folder cannot be written to.
    """
    with atomic_write(path) as file:
        image.save(file, format="PNG")


def _in_colour(values: NDArray[np.float32]) -> NDArray[np.float32]:
    steps = np.linspace(0, 1, len(_MAP_COLOURS))
    channels = [np.interp(values, steps, _MAP_COLOURS[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _around(box: Box, photo: Photo) -> Box:
    """Return the part of the photo, in shares of its sides, that a strip shows."""
    x0, y0, x1, y1 = clipped(square_around(box, _AROUND).box, photo.width, photo.height)
    # Labels need room: a slim part takes in more of the photo's width, if there is more.
    room = min(max(x1 - x0, (y1 - y0) * _LEAST_PANEL / _PANEL), photo.width)
    x0 = min(max((x0 + x1 - room) / 2, 0), photo.width - room)
    return x0 / photo.width, y0 / photo.height, (x0 + room) / photo.width, y1 / photo.height


def _panel(pixels: Pixels, part: Box) -> Pixels:
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = scaled(part, width, height)
    cut = pixels[int(y0) : max(int(y1), int(y0) + 1), int(x0) : max(int(x1), int(x0) + 1)]
    scale = _PANEL / max(cut.shape[:2])
    size = round(cut.shape[1] * scale), round(cut.shape[0] * scale)
    return resized(np.ascontiguousarray(cut), max(size[0], _LEAST_PANEL), max(size[1], 1))


def _map_part(saliency: NDArray[np.float32], part: Box, size: tuple[int, int]) -> NDArray[np.float32]:
    rows, columns = saliency.shape
    cut = Image.fromarray(saliency).resize(size, Image.Resampling.BILINEAR, box=scaled(part, columns, rows))
    return np.asarray(cut)


def _bar(pen: ImageDraw.ImageDraw, where: tuple[int, int, int], text: str, colour: str) -> None:
    x, y, wide = where
    pen.rectangle((x, y, x + wide - 1, y + _LINE - 1), fill=colour)
    pen.text((x + 8, y + _LINE / 2), text, fill=_readable_on(colour), font=_font(15), anchor="lm")


def _legend(sheet: Image.Image, where: tuple[int, int, int, int]) -> None:
    """Say what the colours mean."""
    x, y, wide, high = where
    pen = ImageDraw.Draw(sheet)
    ramp = np.tile(np.linspace(0, 1, wide - 20, dtype=np.float32), (14, 1))
    middle = y + high // 2
    sheet.paste(Image.fromarray(coloured(ramp)), (x + 10, middle - 7))
    pen.text((x + 10, middle - 14), "What spoke for an emotion", fill="black", font=_font(13), anchor="ls")
    pen.text((x + 10, middle + 14), "nothing", fill="black", font=_font(12), anchor="la")
    pen.text((x + wide - 10, middle + 14), "most", fill="black", font=_font(12), anchor="ra")


def _readable_on(colour: str) -> str:
    """Return black or white, whichever has more contrast (relative luminance of WCAG 2.1)."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fitted(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(width, height))
    return resized(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def _draw_dog(pen: ImageDraw.ImageDraw, size: tuple[int, int], dog: DogReading, shrunk: tuple[float, float]) -> None:
    colour = COLOURS[dog.emotion]
    line = max(2, max(size) // 250)
    body: Box = scaled(dog.box, *shrunk)
    pen.rectangle(body, outline=colour, width=line)
    if dog.head is not None:
        pen.rectangle(scaled(dog.head, *shrunk), outline="white", width=max(1, line // 2))
    doubt = "" if dog.sure else " (not sure)"
    _label(pen, size, body[:2], f"{dog.dog} {dog.emotion}: {dog.probability:.2%}{doubt}", colour)


def _label(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], corner: tuple[float, float], text: str, colour: str
) -> None:
    """Write on a coloured bar, above the corner or below it, inside the picture."""
    font = ImageFont.load_default(max(12, max(size) // 40))
    left, up, right, down = pen.textbbox((0, 0), text, font=font)
    wide, high = right - left + 10, down - up + 10
    x = max(0.0, min(corner[0], size[0] - wide))
    y = corner[1] - high if corner[1] >= high else corner[1]
    pen.rectangle((x, y, x + wide, y + high), fill=colour)
    pen.text((x + 5 - left, y + 5 - up), text, fill=_readable_on(colour), font=font)
