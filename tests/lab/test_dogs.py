from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dogmood.classifier import ClassifierSettings, View
from dogmood.finder import FoundDog
from dogmood.lab.dogs import VARIANTS, Subject, cut_variant, largest, variant_key

SETTINGS = ClassifierSettings(side=32, views=(View("body", 1.0), View("head", 1.5)))


@pytest.fixture
def subject(small_data: Path) -> Subject:
    dog = FoundDog((20.0, 24.0, 80.0, 88.0), (30.0, 24.0, 70.0, 60.0), 1.0)
    return Subject(small_data / "emotions/photos/e000.png", dog)


def test_the_label_is_about_the_largest_clear_dog() -> None:
    small, large, ghost = (FoundDog((0, 0, side, side), None, p) for side, p in ((10, 1.0), (20, 0.9), (30, 0.1)))
    assert largest([small, large, ghost]) == large


def test_the_mirrored_variant_mirrors_the_plain_one(subject: Subject) -> None:
    plain, mirrored = cut_variant(subject, SETTINGS, 0), cut_variant(subject, SETTINGS, 1)
    assert len(plain) == 2
    assert all(np.array_equal(a, b[:, ::-1]) for a, b in zip(plain, mirrored, strict=True))


def test_jitter_differs_between_variants_but_not_between_runs(subject: Subject) -> None:
    cuts = [cut_variant(subject, SETTINGS, variant) for variant in range(VARIANTS)]
    again = [cut_variant(subject, SETTINGS, variant) for variant in range(VARIANTS)]
    assert all(
        np.array_equal(a, b) for one, two in zip(cuts, again, strict=True) for a, b in zip(one, two, strict=True)
    )
    assert not np.array_equal(cuts[0][0], cuts[2][0])
    assert not np.array_equal(cuts[2][0], cuts[3][0][:, ::-1])


def test_the_key_follows_photo_box_and_variant(subject: Subject, small_data: Path) -> None:
    other_photo = Subject(small_data / "emotions/photos/e001.png", subject.dog)
    other_box = Subject(subject.path, FoundDog((0, 0, 9, 9), None, 1.0))
    keys = {variant_key(s, SETTINGS, v) for s in (subject, other_photo, other_box) for v in range(VARIANTS)}
    assert len(keys) == 3 * VARIANTS
