"""Damage to files, as hypothesis draws it: cut off, bits flipped, numbers changed, parts moved."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

LYING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
"""Numbers that sizes and counts like to be when somebody lies."""


@st.composite
def damaged(draw: st.DrawFn, data: bytes, most: int = 4) -> bytes:
    """Return a file with up to ``most`` damages, most of them in its head, where sizes stand."""
    for _ in range(draw(st.integers(1, most))):
        data = draw(st.sampled_from(_KINDS))(draw, data)
    return data


def _place(draw: st.DrawFn, data: bytes) -> int:
    last = max(0, len(data) - 1)
    return draw(st.integers(0, min(last, 200)) | st.integers(0, last))


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: _place(draw, data)]


def _flip(draw: st.DrawFn, data: bytes) -> bytes:
    at = _place(draw, data)
    return data[:at] + bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[at : at + 1]) + data[at + 1 :]


def _lie(draw: st.DrawFn, data: bytes) -> bytes:
    at, form = _place(draw, data), draw(st.sampled_from(["<B", "<H", ">H", "<I", ">I"]))
    size = struct.calcsize(form)
    number = draw(st.sampled_from(LYING)) & (1 << 8 * size) - 1
    return data[:at] + struct.pack(form, number) + data[at + size :]


def _junk(draw: st.DrawFn, data: bytes) -> bytes:
    at, junk = _place(draw, data), draw(st.binary(min_size=1, max_size=12))
    return data[:at] + junk + data[at + draw(st.sampled_from([0, len(junk)])) :]


def _again(draw: st.DrawFn, data: bytes) -> bytes:
    at, size = _place(draw, data), draw(st.integers(1, 64))
    return data[:at] + data[at : at + size] * draw(st.integers(2, 40)) + data[at + size :]


def _without(draw: st.DrawFn, data: bytes) -> bytes:
    at = _place(draw, data)
    return data[:at] + data[at + draw(st.integers(1, 64)) :]


_KINDS = (_cut, _flip, _lie, _lie, _junk, _again, _without)
