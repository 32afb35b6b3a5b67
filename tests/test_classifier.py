from __future__ import annotations

import numpy as np
import pytest

from dogmood.classifier import Classifier, ClassifierSettings, View
from dogmood.errors import ModelError
from dogmood.finder import FoundDog

SETTINGS = ClassifierSettings(side=32, views=(View("body", 1.0), View("head", 2.0)))
DOG = FoundDog(box=(0.0, 0.0, 64.0, 64.0), head=(16.0, 16.0, 32.0, 32.0), presence=1.0)


class Fake:
    """Logits: mean brightness of the first view, five times; maps: that of each half of each view."""

    def __init__(self) -> None:
        self.batch = np.zeros(0)

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        self.batch = batch
        logits = np.repeat(batch[:, 0].mean(axis=(1, 2, 3))[:, None], 5, axis=1)
        halves = batch.mean(axis=2).reshape(*batch.shape[:2], 1, 32, 2, 16).mean(axis=(3, 5))
        maps = np.repeat(halves[:, :, :, None, :], 5, axis=2)
        return [logits.astype(np.float32), maps.astype(np.float32)]


def half_bright() -> np.ndarray:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32] = 255
    return pixels


def test_the_network_is_shown_body_and_head_in_unit_range() -> None:
    fake = Fake()
    scores = Classifier(fake, SETTINGS).classify(half_bright(), DOG)  # type: ignore[arg-type]
    assert fake.batch.shape == (1, 2, 3, 32, 32)
    assert (fake.batch.min(), fake.batch.max()) == (0, 1)
    assert scores.logits.tolist() == pytest.approx([0.5] * 5, abs=0.02)
    (evidence,) = scores.evidence
    assert evidence.squares[0].box == (0, 0, 64, 64)
    assert evidence.squares[1].box == (8, 8, 40, 40)


def test_without_a_head_the_body_stands_in() -> None:
    scores = Classifier(Fake(), SETTINGS).classify(half_bright(), FoundDog(DOG.box, None, 1.0))  # type: ignore[arg-type]
    assert scores.evidence[0].squares[1].box == (-32, -32, 96, 96)


def test_ten_crops_are_averaged_and_mirrored_maps_turned_back() -> None:
    fake = Fake()
    scores = Classifier(fake, SETTINGS).classify(half_bright(), DOG, ten_crop=True)  # type: ignore[arg-type]
    assert fake.batch.shape[0] == len(scores.evidence) == 10
    assert np.array_equal(fake.batch[5:], fake.batch[:5, ..., ::-1])
    assert scores.logits[0] == pytest.approx(fake.batch[:, 0].mean(), abs=1e-5)
    for plain, mirrored in zip(scores.evidence[:5], scores.evidence[5:], strict=True):
        assert mirrored.squares == plain.squares
        assert mirrored.maps == pytest.approx(plain.maps, abs=1e-6)


def test_closer_looks_lie_within_the_views_and_leave_the_scores_alone() -> None:
    classifier = Classifier(Fake(), SETTINGS)  # type: ignore[arg-type]
    before = classifier.classify(half_bright(), DOG)
    closer = classifier.look_closer(half_bright(), DOG)
    assert len(closer) == 9
    for one in closer:
        for small, whole in zip(one.squares, before.evidence[0].squares, strict=True):
            assert small.side < whole.side
            assert whole.x0 <= small.x0
            assert small.x0 + small.side <= whole.x0 + whole.side + 1e-9
    assert np.array_equal(classifier.classify(half_bright(), DOG).logits, before.logits)


def test_a_network_with_maps_of_other_views_is_no_classifier() -> None:
    fake = Fake()
    one_view = Classifier(fake, SETTINGS)

    def more(batch: np.ndarray) -> list[np.ndarray]:
        logits, maps = fake(batch)
        return [logits, np.concatenate([maps, maps], axis=1)]

    assert one_view.classify(half_bright(), DOG).logits.shape == (5,)
    with pytest.raises(ModelError, match="in another form"):
        Classifier(more, SETTINGS).classify(half_bright(), DOG)  # type: ignore[arg-type]
