from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.train_classifier import ClassifierTraining, TrainingSet, train_classifier, weights_of

SETTINGS = ClassifierTraining(epochs=3, batch=10, averaging=0.5)


def photo(label: str, tier: str) -> LabelledPhoto:
    return LabelledPhoto(Path("a.jpg"), "train", label, (1, 0, 0, 0, 0), tier, "g", "s", False, "0")


def data() -> TrainingSet:
    """Each emotion lights up its own channels of the trunk's maps."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % 5
    maps = random.normal(0, 0.2, (2, 60, 2, 80, 4, 4)).astype(np.float16)
    for i, label in enumerate(labels):
        maps[:, i, :, label * 16 : label * 16 + 16] += 2
    return TrainingSet(maps, np.eye(5, dtype=np.float32)[labels], np.ones(60, np.float32))


def test_a_plain_pattern_is_learnt_and_statistics_stay() -> None:
    net = ClassifierNet(views=2)
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k or k.startswith("backbone.stem")}
    given = data()
    trained = train_classifier(net, given, SETTINGS)
    with torch.inference_mode():
        logits = trained.from_trunk(torch.from_numpy(given.maps[0]).float()).logits
    assert (logits.argmax(dim=1).numpy() == given.targets.argmax(axis=1)).mean() > 0.9
    after = trained.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_equal_seeds_give_equal_weights_and_others_do_not() -> None:
    given, settings = data(), replace(SETTINGS, epochs=1)
    first, second, other = (
        train_classifier(ClassifierNet(views=2), given, replace(settings, seed=seed)).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.bias"], other["head.bias"])


def test_rare_emotions_and_trusted_labels_count_more() -> None:
    photos = [photo("anger", "gold"), photo("anger", "bronze"), photo("anger", "gold"), photo("fear", "gold")]
    anger, doubtful, _, fear = weights_of(photos, balance=1.0).tolist()
    assert fear == pytest.approx(3 * anger)
    assert doubtful == pytest.approx(anger / 2)
    assert weights_of(photos, balance=0.0).tolist() == [1.0, 0.5, 1.0, 1.0]
