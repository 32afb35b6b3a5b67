from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.finder import Finder, FoundDog
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto, read_manifest
from dogmood.lab.finder_metrics import eager
from dogmood.lab.guises import SMALLEST, WIDEST, faces, on_backdrops
from dogmood.lab.masks import KnownMasks

HEAD = (30.0, 24.0, 70.0, 60.0)


@pytest.fixture
def photos(small_data: Path) -> list[LabelledPhoto]:
    return read_manifest(small_data / "emotions")[:12]


def seen(head: tuple[float, float, float, float] | None) -> FoundDog:
    return FoundDog((20.0, 24.0, 80.0, 88.0), head, 0.9)


def test_faces_have_margins_of_their_own_and_keep_their_labels(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    made = list(faces(photos, [seen(HEAD)] * len(photos), tmp_path).values())
    assert [photo.label for photo in made] == [photo.label for photo in photos]
    widths = [Image.open(photo.path).width for photo in made]
    assert len(set(widths)) > 3
    assert min(widths) >= 40
    assert max(widths) <= 40 * (1 + WIDEST) + 1


def test_photos_without_a_head_worth_seeing_have_no_face(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    dogs = [seen(HEAD), seen(None), seen((30.0, 24.0, 70.0, 24.0 + SMALLEST - 1))]
    assert list(faces(photos[:3], dogs, tmp_path)) == [0]


def test_a_face_depends_on_its_photo_alone(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    dogs = [seen(HEAD)] * len(photos)
    all_of_them = {photo.path.name for photo in faces(photos, dogs, tmp_path).values()}
    assert {photo.path.name for photo in faces(photos[5:], dogs[5:], tmp_path / "other").values()} <= all_of_them


def test_what_was_made_is_taken_again(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    first = faces(photos, [seen(HEAD)] * len(photos), tmp_path)
    written = {photo.path: photo.path.stat().st_mtime_ns for photo in first.values()}
    assert faces(photos, [seen(HEAD)] * len(photos), tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_dog_stands_before_another_picture(bull_mastiff: Path, tmp_path: Path, photos: list[LabelledPhoto]) -> None:
    """The mask is the finder's own: what it holds for dog stays, the corner of the lawn does not."""
    bundle = open_bundle("base")
    finder = Finder(Network(bundle.finder), eager(read_settings(bundle.card).finder))
    backdrop = tmp_path / "plain.png"
    Image.new("RGB", (50, 50), (10, 200, 30)).save(backdrop)
    shown = [replace(photos[0], path=bull_mastiff)]
    masks = KnownMasks(finder, "a finder", tmp_path / "masks").of(shown)
    [made] = on_backdrops(shown, masks, [backdrop], tmp_path)
    before, after = (np.asarray(Image.open(path).convert("RGB"), int) for path in (bull_mastiff, made.path))
    assert after.shape == before.shape
    changed = abs(after - before).max(axis=2) > 40
    assert abs(after[:10, :10] - (10, 200, 30)).max() < 12
    middle = tuple(slice(size // 2 - 20, size // 2 + 20) for size in changed.shape)
    assert changed[middle].mean() < 0.05
    assert 0.1 < changed.mean() < 0.9


def test_without_any_backdrop_that_is_said(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    with pytest.raises(LabError, match="without an animal"):
        on_backdrops(photos[:1], photos[:1], [], tmp_path)
