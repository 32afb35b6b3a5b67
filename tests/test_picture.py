from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.emotions import COLOURS, EMOTIONS
from dogmood.photo import Photo
from dogmood.picture import LONG_SIDE, annotated, coloured, overlay, save_picture, strip
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


def test_a_strip_has_the_photo_and_of_every_emotion_the_map_alone_and_over_the_photo() -> None:
    (dog,) = explained().dogs
    sheet = np.asarray(strip(PHOTO, dog)).astype(int)
    # The body's box with a quarter more, of the photo's 1280 x 960: x from 13.5 to 1101.5, all of y.
    panel = 300
    assert sheet.shape[1] == 6 * panel + 5 * 4
    high = round(panel * 960 / 1088)
    photo, column = sheet[26 : 26 + high, :panel], sheet[:, panel + 4 : 2 * panel + 4]
    assert (photo == 128).all()
    alone, over = column[26 : 26 + high], column[26 + high + 4 : 26 + 2 * high + 4]
    row, across = round(25 / 48 * high), round((35 / 64 * 1280 - 13.5) / 1088 * panel)
    assert (alone[row, across] > (200, 200, 100)).all()  # light yellow where the map is 1
    assert (alone[5, 5] < 10).all()
    assert np.abs(over[row, across] - 128).max() > 60
    assert (over[5, 5] == 128).all()


def test_the_emotions_of_a_strip_stand_in_the_order_of_their_probability() -> None:
    sheet = np.asarray(strip(PHOTO, explained().dogs[0]))
    bars = [tuple(sheet[2, i * 304 + 2]) for i in range(1, 6)]
    names = ("happiness", "relaxed", "fear", "sadness", "anger")
    assert bars == [tuple(int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)) for name in names]


def test_what_a_map_falls_on_is_written_below_it() -> None:
    (dog,) = explained().dogs
    silent = np.asarray(strip(PHOTO, dog))[-24:]
    told = np.asarray(strip(PHOTO, replace(dog, looked_at={"happiness": {"muzzle": 0.48, "eyes": 0.3}})))[-24:]
    assert (silent == 255).all()
    assert (told[:, 304:604] != 255).any()
    assert (told[:, 610:] == 255).all()


def test_the_map_s_colours_grow_lighter_step_by_step() -> None:
    ramp = coloured(np.linspace(-0.5, 1.5, 401, dtype=np.float32)[None])[0].astype(float)
    lightness = ramp @ (0.2126, 0.7152, 0.0722)  # as a grey print shows them
    assert (np.diff(lightness) >= -0.6).all()
    assert lightness[0] < 5
    assert lightness[-1] > 240


@pytest.mark.parametrize("box", [(0.0, 0.0, 3.0, 900.0), (1270.0, 950.0, 1280.0, 960.0), (0.0, 400.0, 1280.0, 410.0)])
def test_a_strip_of_any_box_has_six_equal_panels(box: tuple[float, float, float, float]) -> None:
    sheet = strip(PHOTO, replace(explained().dogs[0], box=box))
    panel = (sheet.width - 5 * 4) / 6
    assert panel == round(panel) >= 190
    assert sheet.height > 2 * 26 + 4


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
