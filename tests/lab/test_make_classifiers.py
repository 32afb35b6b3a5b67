from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.emotions import EMOTIONS
from dogmood.finder import Finder
from dogmood.lab import LabError
from dogmood.lab.finder_metrics import eager
from dogmood.lab.make_classifiers import (
    Shown,
    Teacher,
    biased,
    export_classifier,
    frame_of,
    show,
    soup,
    train_on_labels,
    train_on_teachers,
)
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.steps import Steps
from dogmood.lab.train_classifier import ClassifierTraining, CutPhotos

TINY = ClassifierTraining(trained=1, epochs=1, photos=8, batch=4, teacher=0.5)


@pytest.fixture(scope="module")
def shown(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    bundle = open_bundle("base")
    finder = Finder(Network(bundle.finder), eager(read_settings(bundle.card).finder))
    return show(small_data, finder, "a finder", tmp_path_factory.mktemp("work"), 224)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[CutPhotos]:
    """What networks would be trained on: none is."""
    cuts_of: list[CutPhotos] = []

    def train(net: ClassifierNet, cuts: CutPhotos, *_: object) -> ClassifierNet:
        cuts_of.append(cuts)
        return net

    monkeypatch.setattr("dogmood.lab.make_classifiers.train_classifier", train)
    return cuts_of


def opinionated(bias: float) -> ClassifierNet:
    torch.manual_seed(0)
    net = ClassifierNet("efficientnet_lite0", views=2).eval()
    with torch.no_grad():
        net.head.bias[1] = bias
    return net


def test_every_split_has_its_photos_and_cuts_with_a_margin(shown: dict[str, Shown]) -> None:
    counts = {name: len(part.photos) for name, part in shown.items() if name != "faces"}
    assert counts == {"train": 20, "valid": 10, "test": 10, "web": 2, "backdrops": 20, "originals": 3}
    for part in shown.values():
        assert [view.shape for view in part.cuts.views] == [(len(part.photos), 3, frame_of(224), frame_of(224))] * 2
        assert part.cuts.targets.sum(axis=1) == pytest.approx(np.ones(len(part.photos)))


def test_a_guise_says_whose_it_is(shown: dict[str, Shown]) -> None:
    """How many painted pictures have a face is the finder's to say."""
    seen = [i for i, dog in enumerate(shown["train"].dogs) if dog.head is not None]
    assert set(shown["faces"].guise_of) <= set(seen)
    for name in ("faces", "backdrops"):
        guise = shown[name]
        assert [p.label for p in guise.photos] == [shown["train"].photos[i].label for i in guise.guise_of]
        assert guise.cuts.masks is not None


def test_a_guise_learns_the_teacher_s_answer_to_the_photo_as_it_is(
    shown: dict[str, Shown],
    small_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: list[CutPhotos],
) -> None:
    def answers(_: Teacher, part: str) -> np.ndarray:
        return np.eye(5, dtype=np.float32)[np.arange(len(shown[part].photos)) % 5]

    monkeypatch.setattr(Teacher, "answers_to", answers)
    train_on_teachers(
        small_data, shown, [Teacher(opinionated(0.0), shown)], Steps(tmp_path), replace(TINY, teacher=1.0)
    )
    [cuts] = given
    # The photos as they are, those of the web, faces, backdrops.
    assert np.array_equal(cuts.targets[-20:], cuts.targets[:20])
    faces = len(shown["faces"].photos)
    shares = cuts.weights[:22].sum(), cuts.weights[22 : 22 + faces].sum(), cuts.weights[-20:].sum()
    expected = np.array([0.6, 0.25 if faces else 0, 0.15])
    assert shares == pytest.approx(expected / expected.sum())


def test_originals_have_their_share_and_the_others_theirs_of_the_rest(
    shown: dict[str, Shown], small_data: Path, tmp_path: Path, given: list[CutPhotos]
) -> None:
    lesson = replace(TINY, teacher=0.5, originals=0.2, faces=0.0, backdrops=0.5)
    teacher = Teacher(opinionated(3.0), shown)
    train_on_labels(small_data, shown, Steps(tmp_path / "labels"), lesson)
    train_on_teachers(small_data, shown, [teacher], Steps(tmp_path / "taught"), lesson)
    for cuts in given:
        assert cuts.weights[-3:].sum() == pytest.approx(0.2)
        assert cuts.weights[-23:-3].sum() == pytest.approx(0.4)
    anger = np.eye(5, dtype=np.float32)[EMOTIONS.index("anger")]
    assert given[0].targets[-3:] == pytest.approx(np.tile(anger, (3, 1)))
    assert given[1].targets[-3:] == pytest.approx((anger + teacher.answers_to("originals")) / 2)


def test_other_labels_of_originals_are_another_training(
    shown: dict[str, Shown], small_data: Path, tmp_path: Path, given: list[CutPhotos]
) -> None:
    (tmp_path / "emotions").symlink_to(small_data / "emotions")
    (tmp_path / "original").mkdir()
    manifest = tmp_path / "original" / "manifest.csv"
    manifest.write_bytes((small_data / "original" / "manifest.csv").read_bytes())
    with_them, without = (replace(TINY, originals=share) for share in (0.2, 0.0))
    for _ in range(2):
        train_on_labels(tmp_path, shown, Steps(tmp_path / "work"), with_them)
        train_on_labels(tmp_path, shown, Steps(tmp_path / "work"), without)
    assert len(given) == 2
    manifest.write_text(manifest.read_text().replace("anger", "sadness"))
    for lesson in (with_them, without):
        train_on_labels(tmp_path, shown, Steps(tmp_path / "work"), lesson)
    assert len(given) == 3  # only what learns from them


def test_originals_that_are_absent_are_told(shown: dict[str, Shown], small_data: Path, tmp_path: Path) -> None:
    none = shown | {"originals": replace(shown["originals"], photos=[])}
    with pytest.raises(LabError, match="must hold original/"):
        train_on_labels(small_data, none, Steps(tmp_path), replace(TINY, originals=0.1))


def test_a_teacher_s_targets_are_probabilities(shown: dict[str, Shown]) -> None:
    targets = Teacher(opinionated(3.0), shown).answers_to("valid")
    expected = np.exp(3.0) / (4 + np.exp(3.0))
    assert targets[:, 1] == pytest.approx(np.full(10, expected), abs=1e-3)


def test_a_student_learns_other_things_from_another_teacher(
    shown: dict[str, Shown], small_data: Path, tmp_path: Path
) -> None:
    steps = Steps(tmp_path)
    first, again, other = (
        train_on_teachers(small_data, shown, [Teacher(opinionated(bias), shown)], steps, TINY).state_dict()
        for bias in (3.0, 3.0, -3.0)
    )
    assert torch.equal(first["head.bias"], again["head.bias"])
    assert not torch.equal(first["head.bias"], other["head.bias"])
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


def test_several_teachers_count_alike_each_at_its_resolution(
    shown: dict[str, Shown], small_data: Path, tmp_path: Path, given: list[CutPhotos]
) -> None:
    smaller = {name: replace(part, side=160) for name, part in shown.items()}
    teachers = [Teacher(opinionated(3.0), shown), Teacher(opinionated(-3.0), smaller)]
    lesson = replace(TINY, teacher=1.0)
    for _ in range(2):
        train_on_teachers(small_data, shown, teachers, Steps(tmp_path), lesson)
    [cuts] = given  # the second call took what the first had made
    mean = np.mean([teacher.answers_to("train") for teacher in teachers], axis=0)
    assert cuts.targets[: len(mean)] == pytest.approx(mean)


def test_a_soup_has_the_mean_of_all_weights_and_leaves_what_went_in() -> None:
    nets = [opinionated(bias) for bias in (3.0, -1.0)]
    with torch.no_grad():
        nets[1].head.bias[0] += 2
    mean = soup(nets)
    assert mean.head.bias[:2].tolist() == pytest.approx([nets[0].head.bias[0].item() + 1, 1.0])
    assert nets[0].head.bias[1].item() == 3.0
    for name, tensor in mean.state_dict().items():
        assert tensor.dtype == nets[0].state_dict()[name].dtype
        if not name.startswith("head."):
            assert torch.equal(tensor, nets[0].state_dict()[name])


@pytest.mark.parametrize(("backbone", "side", "cells"), [("efficientnet_lite0", 224, 7), ("dinov2_s", 280, 20)])
def test_an_exported_classifier_s_maps_add_up_to_its_logits(backbone: str, side: int, cells: int) -> None:
    torch.manual_seed(0)
    net = ClassifierNet(backbone, views=2).eval()
    for reader in net.head.readers:
        torch.nn.init.normal_(reader.weight, std=0.01)  # type: ignore[arg-type, union-attr]
    graph = export_classifier(net, "int8", side)
    logits, maps = Network(graph)(np.random.default_rng(0).random((1, 2, 3, side, side), np.float32))
    assert maps.shape == (1, 2, len(EMOTIONS), cells, cells)
    assert maps.sum(axis=(1, 3, 4)) == pytest.approx(logits, abs=1e-3)


def test_a_bias_changes_the_logits_and_leaves_the_maps() -> None:
    graph = export_classifier(opinionated(0.5), "int8", 64)
    bias = np.array([0.25, -0.5, 1.0, 0.0, -0.75])
    pixels = np.random.default_rng(0).random((1, 2, 3, 64, 64), np.float32)
    before, after = (Network(some)(pixels) for some in (graph, biased(graph, bias)))
    assert after[0] - before[0] == pytest.approx(bias[None], abs=1e-6)
    assert (after[1] == before[1]).all()


def test_a_bias_of_another_network_is_refused() -> None:
    with pytest.raises(LabError, match=r"no 'head\.bias'"):
        biased(open_bundle("base").finder, np.zeros(5))
