"""Pictures of readings: boxes and labels, and where the network looked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dogmood.atomic import atomic_write
from dogmood.boxes import Box, scaled
from dogmood.emotions import COLOURS
from dogmood.photo import Photo, Pixels, resized
from dogmood.reading import DogReading, Reading

LONG_SIDE = 1280
"""Pictures are drawn at most this large."""

_PANEL = 320
"""Height of a strip's panels."""

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
    """Return one row of panels: the photo, then each emotion's map over it.

    Raises:
        ValueError: the reading was made without ``explain``.
    """
    if dog.saliency is None:
        raise ValueError("A strip needs a reading made with explain=True.")
    height, width = photo.pixels.shape[:2]
    panel = resized(photo.pixels, max(1, round(width * _PANEL / height)), _PANEL)
    panels = [("photo", "#444444", panel)]
    for emotion, probability in dog.sorted_probabilities():
        label = f"{emotion}: {probability:.2%}"
        panels.append((label, COLOURS[emotion], overlay(panel, dog.saliency[emotion])))
    wide = max(panel.shape[1], 200)
    sheet = Image.new("RGB", (wide * len(panels), _PANEL + 28), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (label, colour, pixels) in enumerate(panels):
        sheet.paste(Image.fromarray(pixels), (i * wide, 28))
        pen.rectangle((i * wide, 0, (i + 1) * wide - 1, 27), fill=colour)
        pen.text((i * wide + 8, 14), label, fill="white", font=ImageFont.load_default(16), anchor="lm")
    return sheet


def overlay(pixels: Pixels, saliency: NDArray[np.float32]) -> Pixels:
    """Lay a map in [0, 1] over a photo; where it is 0 the photo stays as it is.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.
        saliency: ``(rows, columns)`` over the whole photo.
    """
    height, width = pixels.shape[:2]
    stretched = Image.fromarray(saliency).resize((width, height), Image.Resampling.BILINEAR)
    strength = np.clip(np.asarray(stretched), 0, 1)
    colour = _coloured(strength)
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


def _coloured(values: NDArray[np.float32]) -> NDArray[np.float32]:
    steps = np.linspace(0, 1, len(_MAP_COLOURS))
    channels = [np.interp(values, steps, _MAP_COLOURS[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


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
    """Write white on a coloured bar, above the corner or below it, inside the picture."""
    font = ImageFont.load_default(max(12, max(size) // 40))
    left, up, right, down = pen.textbbox((0, 0), text, font=font)
    wide, high = right - left + 10, down - up + 10
    x = max(0.0, min(corner[0], size[0] - wide))
    y = corner[1] - high if corner[1] >= high else corner[1]
    pen.rectangle((x, y, x + wide, y + high), fill=colour)
    pen.text((x + 5 - left, y + 5 - up), text, fill="white", font=font)
