from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dogmood.finder import Finder, FinderSettings, Found, FoundDog
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto, read_manifest
from dogmood.lab.dogs import KnownDogs, largest

DOG = FoundDog((1.04, 2.0, 30.0, 40.0), (3.0, 4.0, 9.96, 9.0), 0.9)


class CountingFinder(Finder):
    """Finds the same dog everywhere, or none, and counts how often it was asked."""

    def __init__(self, *dogs: FoundDog) -> None:
        self.settings = FinderSettings(32, 0.0, 0.5, 0.0)
        self.dogs, self.asked = dogs, 0

    def find(self, pixels: np.ndarray) -> Found:
        self.asked += 1
        return Found(self.dogs, 1.0, np.zeros((1, 1), np.float32))


@pytest.fixture
def photos(small_data: Path) -> list[LabelledPhoto]:
    return read_manifest(small_data / "emotions")[:5]


def test_the_label_is_about_the_largest_clear_dog() -> None:
    small, large, ghost = (FoundDog((0, 0, side, side), None, p) for side, p in ((10, 1.0), (20, 0.9), (30, 0.1)))
    assert largest([small, large, ghost]) == large


def test_each_photo_is_looked_at_once_and_boxes_are_in_tenths(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    finder = CountingFinder(DOG)
    first = KnownDogs(finder, "key", tmp_path).of(photos[:3])
    again = KnownDogs(finder, "key", tmp_path).of(photos)
    assert finder.asked == len(photos)
    assert again[:3] == first
    assert first[0] == FoundDog((1.0, 2.0, 30.0, 40.0), (3.0, 4.0, 10.0, 9.0), 0.9)


def test_another_finder_is_asked_anew(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    finder = CountingFinder(DOG)
    KnownDogs(finder, "key", tmp_path).of(photos)
    KnownDogs(finder, "other", tmp_path).of(photos)
    assert finder.asked == 2 * len(photos)


def test_where_none_is_found_the_whole_photo_stands_in(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    dog = KnownDogs(CountingFinder(), "key", tmp_path).of(photos[:1])[0]
    assert dog == FoundDog((0.0, 0.0, 96.0, 96.0), None, 0.0)


def test_what_was_found_survives_a_photo_that_cannot_be_read(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dogmood.lab.dogs._KEEP_EVERY", 1)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    finder = CountingFinder(DOG)
    with pytest.raises(LabError, match=r"broken\.jpg"):
        KnownDogs(finder, "key", tmp_path).of([*photos, replace(photos[0], path=broken)])
    KnownDogs(finder, "key", tmp_path).of(photos)
    assert finder.asked == len(photos)
