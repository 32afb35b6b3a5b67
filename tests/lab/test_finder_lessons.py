from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dogmood.finder import FinderSettings
from dogmood.lab.finder_lessons import Lessons, masks_seen, taught
from dogmood.lab.finder_photos import finder_photos
from dogmood.lab.finder_targets import Truth
from dogmood.lab.nets.finder import DOG, FinderHead
from dogmood.lab.nets.lite import CHANNELS, LiteBackbone

MIDDLE = (0.25, 0.25, 0.75, 0.75)
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


def test_views_of_several_sizes_are_averaged_on_the_first_ones_grid() -> None:
    torch.manual_seed(0)
    head, random = FinderHead().eval(), np.random.default_rng(1)
    sizes = zip(CHANNELS, (16, 8, 4, 4), strict=True)
    large = tuple(random.normal(0, 1, (channels, side, side)).astype(np.float16) for channels, side in sizes)
    small = tuple(level[:, ::2, ::2] for level in large)
    alone, both = masks_seen(head, [large]), masks_seen(head, [large, small])
    assert both.shape == alone.shape
    assert not np.array_equal(alone, both)
    assert both.sum(axis=0).astype(np.float32) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("truth", "dog", "learns"),
    [
        (Truth(dog=True, bodies=(MIDDLE,)), 0.9, True),
        (Truth(dog=True, bodies=(MIDDLE,)), 0.1, False),  # it does not see the dog
        (Truth(dog=True), 0.1, True),
        (Truth(dog=True, animal=np.ones((8, 8), np.uint8), species=DOG, bodies=(MIDDLE,)), 0.9, False),
        (Truth(dog=False, bodies=(), heads=()), 0.0, False),
        (Truth(dog=False, bodies=(), heads=(MIDDLE,)), 0.0, True),  # a cat whose mask nobody drew
    ],
)
def test_what_another_finder_says_stands_in_where_nothing_better_is_known(
    truth: Truth, dog: float, learns: bool
) -> None:
    seen = np.full((3, 32, 32), (1 - dog) / 2, np.float16)
    seen[DOG] = dog
    result = taught(truth, seen)
    assert (result.soft is seen) is learns
    assert replace(result, soft=None) == truth
