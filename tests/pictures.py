"""Pictures that tests make: good ones of every kind, and bad ones."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """Red, green, blue and white in the upper left, upper right, lower left and lower right corner."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png_bomb(side: int = 50_000) -> bytes:
    """A PNG of a few bytes that claims to be huge."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [header, b"IDAT" + zlib.compress(b"\0" * 1000), b"IEND"]
    chunks = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def truncated_jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    return encoded(Image.fromarray(noise), "JPEG")[:5000]


def text_bomb() -> bytes:
    """A PNG with a comment that unpacks to two million letters, before its pixels."""
    packed = b"zTXtk\0\0" + zlib.compress(b"a" * 2_000_000)
    comment = struct.pack(">I", len(packed) - 4) + packed + struct.pack(">I", zlib.crc32(packed))
    png = encoded(corners(), "PNG")
    return png[:33] + comment + png[33:]


def strange_bmp() -> bytes:
    """A BMP that names a compression nobody knows."""
    bmp = encoded(corners(), "BMP")
    return bmp[:30] + struct.pack("<I", 77) + bmp[34:]


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "text.jpg": (b"once upon a time there was a dog", "is not a picture that can be read"),
    "cut.jpg": (truncated_jpeg(), "is damaged or cut short"),
    "stub.png": (encoded(corners(), "PNG")[:20], "is damaged or cut short"),
    "talk.png": (text_bomb(), "is damaged or cut short"),
    "strange.bmp": (strange_bmp(), "is damaged or cut short"),
    "empty.png": (b"", "is empty"),
    "bomb.png": (png_bomb(), "has more pixels than can be unpacked safely"),
    "dot.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "is 1 x 1 pixels: too small"),
    "thread.png": (encoded(Image.new("RGB", (1, 5000)), "PNG"), "is 1 x 5000 pixels: too small"),
    "film.jpg": (b"\0\0\0\x18ftypmp42" + b"\0" * 500, "is not a picture that can be read"),
}
"""Files that are no photos, and what is said of each."""
