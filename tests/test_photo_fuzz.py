"""The door for photos under attack: a `Photo`, or a `PhotoError` of one sentence, in bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dogmood.errors import PhotoError
from dogmood.photo import ENOUGH_SIDE, Photo, open_photo
from mutations import damaged
from pictures import corners, encoded

LONG = 20 if "DOGMOOD_LONG" in os.environ else 1
CORPUS = Path(__file__).with_name("corpus")


def turned(form: str, mode: str = "RGB", **options: object) -> bytes:
    """A picture with EXIF that turns it and says when it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:05:01 10:22:03"
    return encoded(corners(24, 18).convert(mode), form, exif=exif, **options)


SOUND = {
    "jpeg": turned("JPEG"),
    "jpeg, progressive": turned("JPEG", progressive=True),
    "jpeg, cmyk": encoded(corners(24, 18).convert("CMYK"), "JPEG"),
    "png": turned("PNG", "RGBA"),
    "png, palette": encoded(corners(24, 18).convert("P"), "PNG", transparency=1),
    "png, 16 bits": encoded(Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 99), "PNG"),
    "png, animated": encoded(corners(24, 18), "PNG", save_all=True, append_images=[corners(24, 18).rotate(90)]),
    "webp": turned("WEBP"),
    "webp, lossless": turned("WEBP", "RGBA", lossless=True),
    "webp, animated": encoded(corners(24, 18), "WEBP", save_all=True, append_images=[Image.new("RGB", (24, 18))]),
    "gif": encoded(corners(24, 18), "GIF"),
    "gif, animated": encoded(corners(24, 18), "GIF", save_all=True, append_images=[Image.new("RGB", (24, 18))]),
    "bmp": encoded(corners(24, 18), "BMP"),
    "bmp, palette": encoded(corners(24, 18).convert("P"), "BMP"),
    "tiff": turned("TIFF"),
    "tiff, lzw": turned("TIFF", compression="tiff_lzw"),
    "tiff, jpeg": turned("TIFF", compression="jpeg"),
    "tiff, fax": encoded(corners(24, 18).convert("1"), "TIFF", compression="group4"),
    "tiff, floats": encoded(Image.fromarray(np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)), "TIFF"),
}
"""A good file of every kind."""


def opened(data: bytes) -> Photo | None:
    """Open what may be anything, and check what comes of it."""
    try:
        photo = open_photo(data, "rex.jpg")
    except PhotoError as refusal:
        said = str(refusal)
        assert said.startswith("rex.jpg ")
        assert said.endswith(".")
        assert said.isprintable()
        assert len(said) < 300
        return None
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.ndim == 3
    assert photo.pixels.shape[2] == 3
    assert photo.pixels.flags.c_contiguous
    assert max(photo.pixels.shape) < 4 * ENOUGH_SIDE
    assert min(photo.width, photo.height) >= 16
    return photo


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_file_of_each_kind_is_opened(kind: str) -> None:
    photo = opened(SOUND[kind])
    assert photo is not None
    assert {photo.width, photo.height} in ({24, 18}, {20})


@pytest.mark.parametrize("kind", SOUND)
@settings(max_examples=150 * LONG)
@given(data=st.data())
def test_damage_gives_a_photo_or_a_sentence(kind: str, data: st.DataObject) -> None:
    opened(data.draw(damaged(SOUND[kind])))


@settings(max_examples=400 * LONG)
@given(data=st.data())
def test_damage_to_what_is_damaged_already(data: st.DataObject) -> None:
    files = sorted(path for path in CORPUS.iterdir() if path.suffix not in (".py", "") and path.stat().st_size < 5000)
    opened(data.draw(damaged(data.draw(st.sampled_from(files)).read_bytes())))


@settings(max_examples=200 * LONG)
@given(head=st.sampled_from([data[:size] for data in SOUND.values() for size in (2, 4, 8, 12, 16)]), rest=st.binary())
def test_a_true_beginning_and_anything_after_it(head: bytes, rest: bytes) -> None:
    opened(head + rest)


@settings(max_examples=150 * LONG)
@given(st.data())
def test_exif_of_any_kind_never_costs_a_photo(data: st.DataObject) -> None:
    whole = SOUND["jpeg"]
    at = whole.index(b"Exif\0\0") + 6
    size = int.from_bytes(whole[at - 8 : at - 6], "big") - 8
    # As long as it was: the rest of the file stays whole.
    block = data.draw(damaged(whole[at : at + size]))[:size].ljust(size, b"\0")
    assert opened(whole[:at] + block + whole[at + size :]) is not None


BOMBS = {
    "bilevel.png": ("1", "PNG"), "grey.tiff": ("L", "TIFF"), "colours.png": ("RGB", "PNG"), "palette.gif": ("P", "GIF"),
    "clear.png": ("RGBA", "PNG"), "deep.png": ("I;16", "PNG"), "numbers.tiff": ("F", "TIFF"),
    "ink.tiff": ("CMYK", "TIFF"), "progressive.jpg": ("RGB", "JPEG"),
}  # fmt: skip
SIDE = 6000
"""Of a picture of 36 million pixels."""

PIXEL_BYTES = 14
"""What a pixel may cost at most while a picture is opened: see SECURITY.md."""


_PEAK = """
import sys
import numpy, PIL.Image, PIL.TiffImagePlugin
from dogmood.photo import open_photo

def told(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))

before = told("VmRSS")
open_photo(sys.argv[1])
print(1024 * (told("VmHWM") - before))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak this way")
@pytest.mark.parametrize("name", BOMBS)
def test_memory_is_bounded_by_the_number_of_pixels(name: str, tmp_path: Path) -> None:
    mode, form = BOMBS[name]
    options = {"compression": "tiff_deflate"} if form == "TIFF" else {"progressive": True} if form == "JPEG" else {}
    path = tmp_path / name
    Image.new(mode, (SIDE, SIDE)).save(path, form, **options)
    done = subprocess.run([sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < PIXEL_BYTES * SIDE * SIDE
