from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dogmood.lab.checkpoint import Training
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.train_classifier import (
    ClassifierTraining,
    CutPhotos,
    answers,
    evidence_outside,
    train_classifier,
    weights_of,
)

SIDE, FRAME = 32, 36
SETTINGS = ClassifierTraining(side=SIDE, trained=5, epochs=4, photos=160, batch=16, rate=3e-3, averaging=0.5)


def photo(label: str, tier: str) -> LabelledPhoto:
    return LabelledPhoto(Path("a.jpg"), "train", label, (1, 0, 0, 0, 0), tier, "g", "s", False, "0")


def data(n: int = 40, frame: int = FRAME) -> CutPhotos:
    """Each emotion has its own colour, in both views."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % 5
    views = random.integers(0, 40, (2, n, 3, frame, frame), dtype=np.uint8)
    colours = np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200], [200, 200, 0], [0, 200, 200]], np.uint8)
    views += colours[labels][None, :, :, None, None]
    return CutPhotos(list(views), np.eye(5, dtype=np.float32)[labels], np.full(n, 1 / n))


def test_a_plain_pattern_is_learnt_and_what_lies_below_stays(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = ClassifierNet("efficientnet_lite0", views=2)
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k or ".stem." in k or "blocks.0." in k}
    given = data()
    trained = train_classifier(net, given, given, SETTINGS, tmp_path / "c")
    assert (answers(trained, given, SIDE).argmax(axis=1) == given.targets.argmax(axis=1)).mean() > 0.8
    after = trained.state_dict()
    assert len(before) > 50
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize(("backbone", "side"), [("efficientnet_lite0", SIDE), ("dinov2_s", 28)])
def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path: Path, backbone: str, side: int) -> None:
    given = data(8)
    settings = replace(SETTINGS, backbone=backbone, side=side, trained=1, epochs=1, photos=16, batch=8)
    kept = []
    for number, seed in enumerate((0, 0, 1)):
        torch.manual_seed(seed)
        net = ClassifierNet(backbone, views=2)
        trained = train_classifier(net, given, given, replace(settings, seed=seed), tmp_path / str(number))
        kept.append(trained.state_dict())
    first, second, other = kept
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.bias"], other["head.bias"])


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, settings = data(8), replace(SETTINGS, trained=1, epochs=3, photos=16, batch=8)

    def train(checkpoint: Path) -> ClassifierNet:
        torch.manual_seed(0)
        net = ClassifierNet("efficientnet_lite0", views=2)
        return train_classifier(net, given, given, settings, checkpoint)

    whole = train(tmp_path / "whole").state_dict()
    save = Training.save

    def stopping(self: Training, path: Path) -> None:
        save(self, path)
        if self.progress.epochs == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Training, "save", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts")
    monkeypatch.setattr(Training, "save", save)
    parts = train(tmp_path / "parts").state_dict()
    assert all(torch.equal(parts[name], tensor) for name, tensor in whole.items())


def test_rare_emotions_are_drawn_as_often_and_trusted_labels_more() -> None:
    photos = [photo("anger", "gold"), photo("anger", "bronze"), photo("anger", "gold"), photo("fear", "bronze")]
    anger, doubtful, _, fear = weights_of(photos, balance=1.0).tolist()
    assert fear == pytest.approx(0.5)
    assert doubtful == pytest.approx(anger / 2)
    assert weights_of(photos, balance=0.0)[3] == pytest.approx(0.25)
    assert weights_of(photos, balance=0.5).sum() == pytest.approx(1)


def test_evidence_counts_where_there_is_no_dog() -> None:
    maps = torch.zeros(2, 2, 5, 4, 4)
    maps[:, :, 1, 0, 0] = 1.0
    maps[:, :, 1, 3, 3] = -3.0
    dog = torch.zeros(2, 2, 8, 8)
    dog[..., 6:, 6:] = 1
    assert float(evidence_outside(maps, dog)) == pytest.approx(0.25, abs=1e-5)
    assert float(evidence_outside(maps, torch.ones_like(dog))) == 0
    # What a cell says for all emotions alike is no evidence.
    assert float(evidence_outside(maps + 7, dog)) == pytest.approx(0.25, abs=1e-5)


def test_evidence_is_drawn_to_the_dog(tmp_path: Path) -> None:
    """Every cell of the plain pattern tells the emotion; those on the dog shall say it."""
    left = np.zeros((40, 1, FRAME, FRAME), np.uint8)
    left[..., : FRAME // 3] = 255
    given = replace(data(), masks=[left, left])
    pictures = given.pictures(np.arange(40))[..., :SIDE, :SIDE]
    dog = given.dog(np.arange(40))[:, :, 0, :SIDE, :SIDE]
    outside = []
    for number, weight in enumerate((0.0, 1.0)):
        torch.manual_seed(0)
        settings = replace(SETTINGS, backbone="dinov2_s", side=28, trained=1, outside=weight, photos=64, epochs=2)
        net = train_classifier(ClassifierNet("dinov2_s", views=2), given, given, settings, tmp_path / str(number))
        with torch.no_grad():
            outside.append(float(evidence_outside(net(pictures[..., :28, :28]).maps, dog[..., :28, :28])))
    assert outside[1] < outside[0]
