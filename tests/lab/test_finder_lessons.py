from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dogmood.finder import FinderSettings
from dogmood.lab.finder_lessons import Lessons
from dogmood.lab.finder_photos import finder_photos, labelled_for_finder
from dogmood.lab.nets.finder import DOG, FinderHead
from dogmood.lab.nets.lite import LiteBackbone

SETTINGS = FinderSettings(side=96, presence=0.5, box=0.7, head=0.1, enlarged=1.25)


@pytest.fixture(scope="module")
def lessons(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Lessons:
    photos = finder_photos(small_data, seed=0)
    return Lessons(photos[:6] + photos[-2:], (96, 64), LiteBackbone().eval(), tmp_path_factory.mktemp("work"))


def test_whole_photos_are_shown_at_every_side(lessons: Lessons) -> None:
    examples = lessons.wholes()
    assert [example.grid for example in examples] == [(6, 6)] * 8 + [(4, 4)] * 8
    assert [example.truth for example in examples] == [photo.truth for photo in lessons.photos] * 2


def test_guises_come_with_masks_that_the_heads_say_where_none_is_known(lessons: Lessons) -> None:
    head = FinderHead().eval()
    head.mask.bias.data[DOG * 4 : DOG * 4 + 4] = 9.0  # all is dog to it
    examples = lessons.guises(head, SETTINGS)
    faces = sum(photo.head is not None for photo in lessons.photos)
    assert len(examples) == 3 * len(lessons.photos) + 2 * faces
    for example in examples:
        known, said = example.truth.animal is not None, example.truth.soft is not None
        assert known + said == (1 if example.truth.dog or known else 0)


def test_what_was_computed_is_kept(lessons: Lessons, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lessons.wholes()
    monkeypatch.setattr(LiteBackbone, "forward", None)
    for before, after in zip(first, lessons.wholes(), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(before.features, after.features, strict=True))


def test_labelled_photos_are_drawn_by_seed_from_training(small_data: Path) -> None:
    photos = labelled_for_finder(small_data, seed=0)
    assert {photo.split for photo in photos} == {"train"}
    assert "web" not in {photo.tier for photo in photos}
    assert photos == labelled_for_finder(small_data, seed=0)
