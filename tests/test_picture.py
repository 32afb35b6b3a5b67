from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.emotions import COLOURS, EMOTIONS
from dogmood.photo import Photo
from dogmood.picture import LONG_SIDE, annotated, overlay, save_picture, strip
from dogmood.reading import Reading
from test_reading import MODEL, REX

GREY = np.full((480, 640, 3), 128, np.uint8)
PHOTO = Photo(GREY, 1280, 960, "rex.jpg")


def explained() -> Reading:
    maps = {emotion: np.zeros((48, 64), np.float32) for emotion in EMOTIONS}
    maps["happiness"][20:30, 30:40] = 1
    return replace(REX, dogs=(replace(REX.dogs[0], saliency=maps),))


def test_the_box_is_drawn_in_the_emotion_s_colour_at_its_place() -> None:
    image = np.asarray(annotated(PHOTO, REX))
    assert image.shape == GREY.shape
    colour = tuple(int(COLOURS["happiness"][i : i + 2], 16) for i in (1, 3, 5))
    assert tuple(image[400, 106]) == colour  # left edge of the box: 212 of 1280 is 106 of 640
    assert tuple(image[400, 60]) == (128, 128, 128)


def test_the_map_of_the_winner_is_laid_over() -> None:
    image = np.asarray(annotated(PHOTO, explained())).astype(int)
    assert np.abs(image[250, 350] - 128).max() > 60
    assert (image[100, 20] == 128).all()


def test_without_a_dog_the_picture_says_so() -> None:
    image = np.asarray(annotated(PHOTO, Reading("cat.jpg", "no_dog", 1280, 960, MODEL)))
    assert (image != 128).any()


def test_large_photos_are_drawn_smaller() -> None:
    photo = Photo(np.zeros((1500, 3000, 3), np.uint8), 3000, 1500, "x")
    assert annotated(photo, Reading("x", "no_dog", 3000, 1500, MODEL)).size == (LONG_SIDE, LONG_SIDE // 2)


def test_a_strip_has_the_photo_and_every_emotion() -> None:
    sheet = strip(PHOTO, explained().dogs[0])
    panel = round(320 * 640 / 480)
    assert sheet.width == 6 * panel
    pixels = np.asarray(sheet).astype(int)
    photo, winner = pixels[28:, :panel], pixels[28:, panel : 2 * panel]
    assert (photo == 128).all()
    assert np.abs(winner - 128).max() > 60


def test_a_strip_needs_maps() -> None:
    with pytest.raises(ValueError, match="explain=True"):
        strip(PHOTO, REX.dogs[0])


def test_an_empty_map_changes_nothing_and_a_full_one_much() -> None:
    assert (overlay(GREY, np.zeros((4, 4), np.float32)) == GREY).all()
    assert (np.abs(overlay(GREY, np.ones((4, 4), np.float32)).astype(int) - GREY).max(axis=2) > 60).all()


def test_pictures_are_saved_whole(tmp_path: Path) -> None:
    save_picture(Image.new("RGB", (5, 5), "red"), tmp_path / "a.jpg.png")
    with Image.open(tmp_path / "a.jpg.png") as image:
        assert image.format == "PNG"
