"""Make the classifiers: found dogs -> cuts -> training -> a student of the best -> ONNX."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import softmax
from dogmood.emotions import EMOTIONS
from dogmood.finder import Finder, FoundDog
from dogmood.lab.cuts import Cutting, cut_photos
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.dogs import KnownDogs
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.steps import Steps
from dogmood.lab.train_classifier import ClassifierTraining, CutPhotos, answers, train_classifier, weights_of

CLASSIFIER = ClassifierSettings(side=224, views=(View("body", 1.05), View("head", 1.5)))
FRAME = 256
"""Side of the stored cuts, whose margin around what the classifier is shown lets crops vary."""

PARITY = 2e-3
"""How far ONNX and torch may lie apart: their transformers' sums differ in the fourth digit."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The photos of one split, the dog in each, and its cuts."""

    photos: Sequence[LabelledPhoto]
    dogs: Sequence[FoundDog]
    cuts: CutPhotos

    def with_targets(self, targets: NDArray[np.float32], weights: NDArray[np.float64]) -> CutPhotos:
        """Return the cuts with other labels."""
        return replace(self.cuts, targets=targets, weights=weights)


def show(data: Path, finder: Finder, finder_sha256: str, work: Path) -> dict[str, Shown]:
    """Find and cut the dog of every labelled photo.

    Returns:
        By split; and as ``web`` the training photos that nobody has read.
    """
    parts: dict[str, list[LabelledPhoto]] = {"train": [], "valid": [], "test": [], "web": []}
    for photo in read_manifest(data / "emotions"):
        parts["web" if photo.tier == "web" else photo.split].append(photo)
    known = KnownDogs(finder, finder_sha256, work)
    return {name: _shown(photos, known.of(photos), work) for name, photos in parts.items()}


def _shown(photos: Sequence[LabelledPhoto], dogs: Sequence[FoundDog], work: Path) -> Shown:
    margin = FRAME / CLASSIFIER.side
    views = [replace(view, expand=view.expand * margin) for view in CLASSIFIER.views]
    cuts = [cut_photos(photos, Cutting(view, FRAME, 3), work / "cuts", dogs) for view in views]
    targets = np.array([photo.soft for photo in photos], np.float32)
    # Read into memory: photos are drawn at random, over and over.
    held = [np.array(cut) for cut in cuts]
    return Shown(photos, dogs, CutPhotos(held, targets, np.full(len(photos), 1 / max(1, len(photos)))))


def train_on_labels(
    data: Path, shown: Mapping[str, Shown], steps: Steps, training: ClassifierTraining
) -> ClassifierNet:
    """Train a classifier on the labels, or take what an earlier call has trained."""
    train = shown["train"]
    cuts = train.with_targets(train.cuts.targets, weights_of(train.photos, training.balance))
    return _trained(data, cuts, shown, steps, training, taught_by=None)


def train_on_teacher(
    data: Path, shown: Mapping[str, Shown], teacher: ClassifierNet, steps: Steps, training: ClassifierTraining
) -> ClassifierNet:
    """Train a classifier on labels and a teacher's answers (Hinton et al. 2015, arXiv:1503.02531).

    The teacher's answers are mixed into the labels of photos that have been read,
    and stand alone for those of the web.
    """
    train, web = shown["train"], shown["web"]
    of_train, of_web = (teacher_targets(teacher, part.cuts) for part in (train, web))
    mixed = (1 - training.teacher) * train.cuts.targets + training.teacher * of_train
    # How rare an emotion is among unread photos is the teacher's to say.
    photos = [*train.photos]
    photos += [replace(p, label=EMOTIONS[i]) for p, i in zip(web.photos, of_web.argmax(axis=1), strict=True)]
    views = [np.concatenate(pair) for pair in zip(train.cuts.views, web.cuts.views, strict=True)]
    targets = np.concatenate([mixed, of_web]).astype(np.float32)
    cuts = CutPhotos(views, targets, weights_of(photos, training.balance))
    digest = hashlib.sha256(targets.tobytes()).hexdigest()
    return _trained(data, cuts, shown, steps, training, taught_by=digest)


def teacher_targets(teacher: ClassifierNet, cuts: CutPhotos) -> NDArray[np.float32]:
    """Return a teacher's probabilities ``(n, 5)``."""
    return softmax(answers(teacher, cuts, CLASSIFIER.side).astype(np.float64)).astype(np.float32)


def _trained(
    data: Path,
    cuts: CutPhotos,
    shown: Mapping[str, Shown],
    steps: Steps,
    training: ClassifierTraining,
    taught_by: str | None,
) -> ClassifierNet:
    torch.manual_seed(training.seed)
    net = ClassifierNet(training.backbone, len(CLASSIFIER.views))

    def fit(checkpoint: Path) -> ClassifierNet:
        return train_classifier(net, cuts, shown["valid"].cuts, CLASSIFIER.side, training, checkpoint)

    dogs = [[dog.box, dog.head] for dog in shown["train"].dogs]
    depends = [asdict(training), checksum(data / "emotions"), astuple(CLASSIFIER), FRAME, dogs, taught_by]
    fresh = ClassifierNet(training.backbone, len(CLASSIFIER.views), pretrained=False)
    return steps.weights(f"classifier-{training.backbone}", depends, fresh, fit)


def export_classifier(net: torch.nn.Module, storage: str) -> bytes:
    """Return a classifier's ONNX graph, checked against torch.

    Raises:
        LabError: the two differ.
    """
    example: Tensor = torch.rand(2, len(CLASSIFIER.views), 3, CLASSIFIER.side, CLASSIFIER.side)
    graph = to_onnx(net, example, ("logits", "maps"), {0: "n"}, storage)
    check_parity(graph, as_stored(net, storage), [example, example[:1]], PARITY)
    return graph
