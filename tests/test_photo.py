from __future__ import annotations

import contextlib
import io
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dogmood.errors import PhotoError, PhotoTooLargeError
from dogmood.photo import ENOUGH_SIDE, open_photo, resized
from pictures import UNREADABLE, corners, encoded

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def near(pixel: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= 12)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_form_gives_the_same_rgb_pixels(form: str) -> None:
    photo = open_photo(encoded(corners(), form, **({"quality": 95} if form in ("JPEG", "WEBP") else {})))
    assert (photo.width, photo.height, photo.pixels.shape) == (60, 40, (40, 60, 3))
    for (y, x), colour in {(5, 5): RED, (5, 50): GREEN, (35, 5): BLUE, (35, 50): WHITE}.items():
        assert near(photo.pixels[y, x], colour)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation: int) -> None:
    turns = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = corners()
    for turn in turns.get(orientation, []):
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = open_photo(encoded(stored, "JPEG", quality=95, exif=exif))
    assert (photo.width, photo.height) == (60, 40)
    assert near(photo.pixels[5, 5], RED)
    assert near(photo.pixels[5, 50], GREEN)
    assert near(photo.pixels[35, 5], BLUE)


def test_an_animation_gives_its_first_frame() -> None:
    first, second = Image.new("RGB", (32, 32), "red"), Image.new("RGB", (32, 32), "blue")
    photo = open_photo(encoded(first, "GIF", save_all=True, append_images=[second]))
    assert near(photo.pixels[16, 16], RED)


def test_cmyk_becomes_rgb() -> None:
    assert near(open_photo(encoded(corners().convert("CMYK"), "JPEG", quality=95)).pixels[5, 50], GREEN)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    values = np.full((32, 32), 32768, np.uint16)
    values[:16] = 65535
    photo = open_photo(encoded(Image.fromarray(values), "PNG"))
    assert photo.pixels[0, 0].tolist() == [255] * 3
    assert photo.pixels[31, 0].tolist() == [128] * 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 16, 32))
    if mode == "P":
        image = image.convert("P")
        image.info["transparency"] = image.getpixel((31, 0))
        data = encoded(image, "PNG", transparency=image.info["transparency"])
    else:
        data = encoded(image.convert(mode), "PNG")
    pixels = open_photo(data).pixels
    if mode != "P":  # a palette may merge the two blacks
        assert near(pixels[5, 5], (0, 0, 0))
    assert near(pixels[5, 30], WHITE)


def test_grey_becomes_three_equal_channels() -> None:
    assert open_photo(encoded(Image.new("L", (20, 20), 77), "PNG")).pixels[3, 3].tolist() == [77] * 3


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_photo_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    data, sentence = UNREADABLE[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(PhotoError) as refusal:
        open_photo(path)
    assert sentence in str(refusal.value)
    assert name in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


FILES = {form: encoded(corners(), form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")}


@pytest.mark.parametrize("form", FILES)
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 120), st.binary(max_size=6), st.none() | st.integers(1, 300))
def test_damage_gives_a_photo_or_a_sentence_never_another_error(
    form: str, at: int, junk: bytes, length: int | None
) -> None:
    data = (FILES[form][:at] + junk + FILES[form][at + len(junk) :])[:length]
    with contextlib.suppress(PhotoError):
        assert open_photo(data).pixels.shape[2] == 3


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="does not exist"):
        open_photo(tmp_path / "nowhere.jpg")
    with pytest.raises(PhotoError, match="is a folder"):
        open_photo(tmp_path)


def test_odd_paths_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "mein Hündchen 犬.png"
    path.write_bytes(encoded(corners(), "PNG"))
    assert open_photo(str(path)).source == str(path)


def test_a_large_jpeg_is_unpacked_small_but_keeps_its_size() -> None:
    side = 4 * ENOUGH_SIDE
    photo = open_photo(encoded(Image.new("RGB", (side, side // 2), "red"), "JPEG"))
    assert (photo.width, photo.height) == (side, side // 2)
    assert photo.pixels.shape == (ENOUGH_SIDE // 2, ENOUGH_SIDE, 3)
    assert photo.scale == (4, 4)


def test_a_large_picture_of_the_caller_keeps_its_size() -> None:
    side = 4 * ENOUGH_SIDE
    with Image.open(io.BytesIO(encoded(Image.new("RGB", (side, 32), "red"), "JPEG"))) as image:
        photo = open_photo(image)
        assert image.size == (photo.width, photo.height) == (side, 32)


def test_a_turned_photo_that_is_unpacked_square_still_has_its_own_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    side = 2 * ENOUGH_SIDE
    photo = open_photo(encoded(Image.new("L", (side, side - 1)), "JPEG", exif=exif))
    assert photo.pixels.shape[:2] == (ENOUGH_SIDE, ENOUGH_SIDE)
    assert (photo.width, photo.height) == (side - 1, side)


def test_a_12000_pixel_scan_is_read_as_jpeg_and_refused_as_png() -> None:
    scan = Image.new("L", (12_000, 12_000))
    assert open_photo(encoded(scan, "JPEG")).width == 12_000
    with pytest.raises(PhotoError, match="is 12000 x 12000: over 100 million pixels"):
        open_photo(encoded(scan, "PNG"))


def test_arrays_and_images_are_taken() -> None:
    pixels = np.asarray(corners())
    assert open_photo(pixels).source == "<array>"
    assert np.array_equal(open_photo(pixels).pixels, pixels)
    assert np.array_equal(open_photo(corners()).pixels, pixels)
    assert open_photo(pixels[..., 0]).pixels.shape == (40, 60, 3)


@pytest.mark.parametrize(
    "array", [np.zeros((40, 60, 4), np.uint8), np.zeros((40, 60, 3), np.float32), np.zeros(5, np.uint8)]
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(PhotoError, match=r"\(h, w, 3\) uint8"):
        open_photo(array)


def test_other_things_are_refused() -> None:
    with pytest.raises(PhotoError, match="not dict"):
        open_photo({})  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "array"])
def test_a_caller_may_allow_fewer_pixels_and_name_the_photo(form: str) -> None:
    source = np.asarray(corners()) if form == "array" else encoded(corners(), form)
    assert open_photo(source, "rex.jpg", max_pixels=60 * 40).source == "rex.jpg"
    with pytest.raises(PhotoTooLargeError, match=r"rex\.jpg is 60 x 40: over 0\.002399 million pixels"):
        open_photo(source, "rex.jpg", max_pixels=60 * 40 - 1)


def test_resizing_keeps_colours_and_order() -> None:
    small = resized(np.asarray(corners()), 30, 20)
    assert small.shape == (20, 30, 3)
    assert near(small[2, 27], GREEN)


@pytest.mark.parametrize(
    ("shot", "offset", "taken"),
    [
        ("2026:05:01 10:22:03", None, "2026-05-01T10:22:03"),
        ("2026:05:01 10:22:03", "+02:00", "2026-05-01T10:22:03+02:00"),
        ("2026:05:01 10:22:03\0", "   ", "2026-05-01T10:22:03"),
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        (None, None, None),
    ],
)
def test_the_camera_s_clock_is_read(shot: str | None, offset: str | None, taken: str | None) -> None:
    exif = Image.Exif()
    inner = exif.get_ifd(0x8769)
    for tag, value in ((0x9003, shot), (0x9011, offset)):
        if value is not None:
            inner[tag] = value
    assert open_photo(encoded(corners(), "JPEG", exif=exif)).taken == taken


@pytest.mark.parametrize("pointer", [0, 5, 8, 26, 9999])
def test_damaged_exif_is_no_reason_to_refuse_a_photo(pointer: int) -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, pointer) + b"\0\0\0\0" + b"\xff" * 40
    assert open_photo(encoded(corners(), "JPEG", exif=b"Exif\0\0" + block)).taken is None


def test_photos_opened_side_by_side_leave_the_filters_of_warnings_as_they_were() -> None:
    data = encoded(corners(), "PNG")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: open_photo(data), range(400)))
    assert warnings.filters == before


def test_a_picture_thousands_of_times_as_long_as_wide_is_read() -> None:
    photo = open_photo(encoded(Image.new("RGB", (16, 60_000)), "JPEG"))
    assert (photo.width, photo.height) == (16, 60_000)
