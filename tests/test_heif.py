"""HEIC through the door for photos: good files, damage, and headers that lie; with the extra `heic` alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import heics
from dogmood.errors import PhotoError, PhotoTooLargeError
from dogmood.heif import is_heif, largest_extent
from dogmood.photo import MAX_PIXELS, open_photo
from mutations import damaged
from test_photo_fuzz import LONG, opened

CORPUS = Path(__file__).with_name("corpus")
FILES = sorted(CORPUS.glob("*.heic"))
SOUND = {} if importlib.util.find_spec("pillow_heif") is None else heics.sound()
KINDS = ["heic", "heic, turned", "heic, clear", "heic, grey", "heic, two pictures", "heic, 4:4:4"]

decodes = pytest.mark.skipif(not SOUND, reason="pillow-heif, the extra heic, is not installed")


def test_what_is_coded_is_known_before_it_is_decoded() -> None:
    assert largest_extent((CORPUS / "pixels-of-junk.heic").read_bytes()) == (64, 64)
    assert largest_extent((CORPUS / "says-65535-square.heic").read_bytes()) == (65535, 65535)
    assert largest_extent(b"") == (0, 0)


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_a_malformed_file_is_refused_in_a_sentence(file: Path) -> None:
    assert is_heif(file.read_bytes())
    assert opened(file.read_bytes()) is None


@decodes
def test_every_kind_is_drawn() -> None:
    assert list(SOUND) == KINDS


@decodes
@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_file_of_each_kind_is_opened(kind: str) -> None:
    photo = opened(SOUND[kind])
    assert photo is not None
    turned = kind == "heic, turned"
    assert (photo.width, photo.height) == ((48, 64) if turned else (64, 48))
    assert photo.pixels.shape == (photo.height, photo.width, 3)
    assert (photo.taken == "2026-05-01T10:22:03") == turned


@decodes
def test_a_small_cut_of_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    side = round(MAX_PIXELS**0.5)
    with pytest.raises(PhotoTooLargeError, match=f"is {side} x {side + 1}: over 100 million pixels"):
        open_photo(heics.extent_said(SOUND["heic"], side, side + 1))
    with pytest.raises(PhotoTooLargeError, match=r"is 64 x 64: over 0\.004 million pixels"):
        open_photo(SOUND["heic"], max_pixels=4000)  # 64 x 48 are shown
    with pytest.raises(PhotoError, match="is damaged or cut short"):
        open_photo(heics.extent_said(SOUND["heic"], side, side))


@decodes
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60 * LONG)
@given(data=st.data())
def test_damage_gives_a_photo_or_a_sentence(kind: str, data: st.DataObject) -> None:
    opened(data.draw(damaged(SOUND[kind])))


@decodes
@settings(max_examples=100 * LONG)
@given(data=st.data())
def test_damage_to_its_boxes(data: st.DataObject) -> None:
    whole = SOUND["heic, two pictures"]
    at = whole.index(b"mdat")
    boxes = data.draw(damaged(whole[12:at]))
    opened(whole[:12] + boxes + whole[at:])
