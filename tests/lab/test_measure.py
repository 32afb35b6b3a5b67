from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.classifier import Classifier
from dogmood.doubt import Doubt
from dogmood.emotions import EMOTIONS
from dogmood.finder import FoundDog
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.emotion_metrics import Predictions
from dogmood.lab.measure import accuracy_by_kind, least_ece, predict

DOUBT = Doubt(1.0, 0.5, 0.7, dict.fromkeys(EMOTIONS, 0.1))


def photo(number: int, source: str, grey: bool) -> LabelledPhoto:
    return LabelledPhoto(Path("a.jpg"), "test", "anger", (1, 0, 0, 0, 0), "gold", f"g{number}", source, grey, "")


def answers(right: list[bool]) -> Predictions:
    logits = np.zeros((len(right), 5), np.float32)
    logits[np.arange(len(right)), [0 if r else 1 for r in right]] = 1
    return Predictions(logits, np.zeros(len(right), np.intp), [f"g{i}" for i in range(len(right))])


def test_accuracy_is_told_apart_by_kind() -> None:
    photos = [photo(0, "a", True), photo(1, "a", False), photo(2, "b", False), photo(3, "b", False)]
    small, large = FoundDog((0, 0, 300, 300), (0, 0, 50, 63.9), 1.0), FoundDog((0, 0, 200, 100), None, 1.0)
    kinds = accuracy_by_kind(answers([True, False, True, True]), photos, [small, small, large, large])
    assert kinds["colour"]["grey"]["n"] == 1
    assert kinds["colour"]["colour"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert kinds["size of the head"]["under 64 px"]["accuracy"]["value"] == 0.5
    assert kinds["size of the head"]["192 px and more"]["accuracy"]["value"] == 1
    assert {name: figure["n"] for name, figure in kinds["source"].items()} == {"a": 2, "b": 2}


def test_even_a_perfect_calibration_shows_some_error_and_less_with_more_photos() -> None:
    random = np.random.default_rng(0)

    def of(n: int) -> float:
        given = Predictions(random.normal(0, 2, (n, 5)).astype(np.float32), np.zeros(n, np.intp), list(range(n)))
        figures = least_ece(given, DOUBT, rounds=50)
        assert figures["mean"] < figures["high"]
        return figures["mean"]

    assert 0.03 < of(200) < 0.12
    assert of(20_000) < 0.01


def test_photos_without_groups_are_resampled_one_by_one(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (12, 3), dtype=np.uint8)
    photos = []
    for i, colour in enumerate(colours):
        Image.fromarray(np.full((64, 64, 3), colour)).save(tmp_path / f"{i}.png")
        one = photo(i, "a", False)
        photos.append(replace(one, path=tmp_path / f"{i}.png", group="", name=f"{i}.png", label=EMOTIONS[i % 5]))
    bundle = open_bundle("fast")
    classifier = Classifier(Network(bundle.classifier), read_settings(bundle.card).classifier)
    given = predict(classifier, photos, [FoundDog((0, 0, 64, 64), None, 1.0)] * len(photos))
    assert len(set(given.groups)) == len(photos)
