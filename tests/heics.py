"""HEIC pictures that tests make, where the extra `heic` is installed: good ones, and damage to their boxes."""

from __future__ import annotations

import io
import struct

from PIL import Image

from pictures import corners

SIDE = 64
"""libheif's encoder pads anything smaller."""


def heic(image: Image.Image | None = None, **options: object) -> bytes:
    """Return a picture as HEIC."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    (corners(SIDE, 48) if image is None else image).save(buffer, "HEIF", **options)
    return buffer.getvalue()


def turned() -> bytes:
    """A picture with EXIF that turns it and says when it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:05:01 10:22:03"
    return heic(exif=exif.tobytes())


def sound() -> dict[str, bytes]:
    """Return a good file of every kind."""
    return {
        "heic": heic(),
        "heic, turned": turned(),
        "heic, clear": heic(corners(SIDE, 48).convert("RGBA")),
        "heic, grey": heic(corners(SIDE, 48).convert("L")),
        "heic, two pictures": heic(save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE), "navy")]),
        "heic, 4:4:4": heic(chroma=444, quality=90),
    }


def extent_said(data: bytes, width: int, height: int) -> bytes:
    """Change the extent of the picture that is coded; what is shown stays a small cut of it."""
    return lie(data, b"ispe", 4, ">II", width, height)


def lie(data: bytes, kind: bytes, offset: int, form: str, *values: int) -> bytes:
    """Change numbers in the first box of a kind, ``offset`` bytes after its name."""
    at = data.index(kind) + 4 + offset
    value = struct.pack(form, *values)
    return data[:at] + value + data[at + len(value) :]


def malformed() -> dict[str, bytes]:
    """Return files that no decoder should make a picture of."""
    whole = heic()
    pictures = whole.index(b"mdat") + 4
    return {
        "cut.heic": whole[: pictures + 20],
        "cut-in-its-boxes.heic": whole[: whole.index(b"iprp") + 20],
        "pixels-of-junk.heic": whole[:pictures] + b"\xff" * (len(whole) - pictures),
        "says-65535-square.heic": extent_said(whole, 65535, 65535),
        "says-12000-square.heic": extent_said(whole, 12000, 12000),
        "says-zero.heic": extent_said(whole, 0, 0),
        "box-of-four-billion.heic": lie(whole, b"meta", -8, ">I", 0xFFFFFFFF),
        "items-of-65535.heic": lie(whole, b"iinf", 4, ">H", 0xFFFF),
        "pixels-beyond-the-end.heic": lie(whole, b"iloc", 14, ">I", 0xFFFFFF00),
        "no-picture-is-the-first.heic": lie(whole, b"pitm", 4, ">H", 999),
        "no-decoder.heic": whole.replace(b"hvcC", b"free"),
        "properties-of-nobody.heic": lie(whole, b"ipma", 4, ">I", 0xFFFFFFFF),
    }
