"""HEIC and HEIF, where the extra `heic` is installed: how large a picture is coded, before it is decoded."""

from __future__ import annotations

import re

BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"hevc")
"""What such a file says after ``ftyp``, at bytes 8 to 12."""

_EXTENT = re.compile(rb"ispe\0\0\0\0(.{4})(.{4})", re.DOTALL)
"""A picture's extent (ISO/IEC 23008-12, 6.5.3); eight bytes that never stand by chance in coded pixels."""


def is_heif(data: bytes) -> bool:
    """Return whether a file says that it is HEIC."""
    return data[4:8] == b"ftyp" and data[8:12] in BRANDS


def largest_extent(data: bytes) -> tuple[int, int]:
    """Return width and height of the largest picture that is coded in a file, shown or not.

    What is shown may be a small part of it, cut out after all of it was decoded.
    """
    extents = [(int.from_bytes(width, "big"), int.from_bytes(height, "big")) for width, height in _EXTENT.findall(data)]
    return max(extents, key=lambda extent: extent[0] * extent[1], default=(0, 0))
