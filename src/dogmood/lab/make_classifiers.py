"""Make the classifiers: found dogs -> cuts -> training on labels, and by teachers -> ONNX."""

from __future__ import annotations

import copy
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
from dogmood.lab.data.pets import read_pets
from dogmood.lab.dogs import KnownDogs
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.guises import faces, on_backdrops
from dogmood.lab.masks import KnownMasks
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.steps import Steps
from dogmood.lab.train_classifier import ClassifierTraining, CutPhotos, answers, train_classifier, weights_of

CLASSIFIER = ClassifierSettings(side=224, views=(View("body", 1.05), View("head", 1.5)))
FRAME = 256
"""Side of the stored cuts, whose margin around what the classifier is shown lets crops vary."""

BLACK = (0, 0, 0)

GUISES = ("train", "faces", "backdrops")
"""What is learnt from: the photos as they are, and in two guises."""

PARITY = 2e-3
"""How far ONNX and torch may lie apart: their transformers' sums differ in the fourth digit."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The photos of one split, or of one guise, the dog in each, and its cuts.

    Attributes:
        photos: the photos.
        dogs: the dog in each.
        cuts: of the dogs.
        guise_of: the place among the training photos of the one that each is a guise of.
    """

    photos: Sequence[LabelledPhoto]
    dogs: Sequence[FoundDog]
    cuts: CutPhotos
    guise_of: Sequence[int] = ()

    def taught(self, targets: NDArray[np.float32]) -> Shown:
        """Return the same with other labels; the likeliest emotion is what a photo counts as."""
        photos = [replace(p, label=EMOTIONS[i]) for p, i in zip(self.photos, targets.argmax(axis=1), strict=True)]
        return replace(self, photos=photos, cuts=replace(self.cuts, targets=targets))


def show(data: Path, finder: Finder, finder_sha256: str, work: Path) -> dict[str, Shown]:
    """Find and cut the dog of every labelled photo.

    Returns:
        By split; as ``web`` the training photos that nobody has read; as ``faces`` and
        ``backdrops`` the training photos in these guises.
    """
    parts: dict[str, list[LabelledPhoto]] = {"train": [], "valid": [], "test": [], "web": []}
    for photo in read_manifest(data / "emotions"):
        parts["web" if photo.tier == "web" else photo.split].append(photo)
    known, masks = KnownDogs(finder, finder_sha256, work), KnownMasks(finder, finder_sha256, work / "masks")
    guises, train = work / "guises", parts["train"]
    cut_out = faces(train, known.of(train), guises)
    parts["faces"] = list(cut_out.values())
    dogs = {name: known.of(photos) for name, photos in parts.items()}
    # What is only looked at needs no mask.
    dog_masks = {name: masks.of(parts[name]) for name in ("train", "faces", "web")}
    empty = [pet.path for pet in read_pets(data / "finder") if pet.kind == "none" and pet.split == "train"]
    parts["backdrops"] = on_backdrops(train, dog_masks["train"], empty, guises)
    # Before another backdrop, the dog is where it was.
    dogs["backdrops"], dog_masks["backdrops"] = dogs["train"], dog_masks["train"]
    shown = {name: _shown(photos, dogs[name], dog_masks.get(name), work) for name, photos in parts.items()}
    shown["faces"] = replace(shown["faces"], guise_of=list(cut_out))
    shown["backdrops"] = replace(shown["backdrops"], guise_of=range(len(train)))
    return shown


def _shown(
    photos: Sequence[LabelledPhoto], dogs: Sequence[FoundDog], masks: Sequence[LabelledPhoto] | None, work: Path
) -> Shown:
    margin = FRAME / CLASSIFIER.side
    views = [replace(view, expand=view.expand * margin) for view in CLASSIFIER.views]
    cuts = [cut_photos(photos, Cutting(view, FRAME, 3), work / "cuts", dogs) for view in views]
    dog = (
        [cut_photos(masks, Cutting(view, FRAME, 1, BLACK), work / "cuts", dogs) for view in views]
        if masks is not None
        else None
    )
    targets = np.array([photo.soft for photo in photos], np.float32).reshape(-1, len(EMOTIONS))
    return Shown(photos, dogs, CutPhotos(cuts, targets, np.full(len(photos), 1 / max(1, len(photos))), dog))


def train_on_labels(
    data: Path, shown: Mapping[str, Shown], steps: Steps, training: ClassifierTraining
) -> ClassifierNet:
    """Train a classifier on the labels, or take what an earlier call has trained."""
    return _trained(data, shown, [[shown[name]] for name in GUISES], steps, training)


def train_on_teachers(
    data: Path,
    shown: Mapping[str, Shown],
    teachers: Sequence[ClassifierNet],
    steps: Steps,
    training: ClassifierTraining,
    pupil: ClassifierNet | None = None,
) -> ClassifierNet:
    """Train a classifier on labels and teachers' answers (Hinton et al. 2015, arXiv:1503.02531).

    The mean of the teachers' answers is mixed into the labels of photos that have been
    read, and stands alone for those of the web.  In whatever guise, a photo has the
    answer to it as it is: there the teachers see most.

    Args:
        data: the folder that holds ``emotions/``.
        shown: what is learnt from.
        teachers: they may be those that learn.
        steps: where the result is kept.
        training: how to train.
        pupil: who learns; one that knows its backbone's weights alone, unless given.
    """
    of_train, of_web = (
        np.mean([teacher_targets(teacher, shown[name].cuts) for teacher in teachers], axis=0)
        for name in ("train", "web")
    )
    lessons: list[list[Shown]] = []
    for name in GUISES:
        part = shown[name]
        answers_to = of_train if name == "train" else of_train[list(part.guise_of)]
        mixed = (1 - training.teacher) * part.cuts.targets + training.teacher * answers_to
        lessons.append([replace(part, cuts=replace(part.cuts, targets=mixed))])
    # How rare an emotion is among unread photos is the teachers' to say.
    lessons[0].append(shown["web"].taught(of_web))
    digest = hashlib.sha256(of_train.tobytes() + of_web.tobytes()).hexdigest()
    return _trained(data, shown, lessons, steps, training, digest, pupil)


def soup(nets: Sequence[ClassifierNet]) -> ClassifierNet:
    """Return one network with the mean of the weights of several (Wortsman et al. 2022, arXiv:2203.05482).

    Args:
        nets: of one backbone, and trained from one start: elsewhere the mean of two
            networks is none.
    """
    mean = copy.deepcopy(nets[0])
    states = [net.state_dict() for net in nets]
    mean.load_state_dict({name: torch.stack([one[name].float() for one in states]).mean(dim=0) for name in states[0]})
    return mean


def teacher_targets(teacher: ClassifierNet, cuts: CutPhotos) -> NDArray[np.float32]:
    """Return a teacher's probabilities ``(n, 5)``."""
    return softmax(answers(teacher, cuts, CLASSIFIER.side).astype(np.float64)).astype(np.float32)


def _trained(
    data: Path,
    shown: Mapping[str, Shown],
    lessons: Sequence[Sequence[Shown]],
    steps: Steps,
    training: ClassifierTraining,
    taught_by: str | None = None,
    pupil: ClassifierNet | None = None,
) -> ClassifierNet:
    """Train on what `GUISES` names, each lesson its share of what is drawn."""
    torch.manual_seed(training.seed)
    # A copy: the pupil itself may be wanted again.
    net = copy.deepcopy(pupil) if pupil else ClassifierNet(training.backbone, len(CLASSIFIER.views))

    def fit(checkpoint: Path) -> ClassifierNet:
        shares = (1 - training.faces - training.backdrops, training.faces, training.backdrops)
        cuts = _together(lessons, shares, training.balance)
        return train_classifier(net, cuts, shown["valid"].cuts, CLASSIFIER.side, training, checkpoint)

    dogs = [[dog.box, dog.head] for name in GUISES for dog in shown[name].dogs]
    # The name of a picture in a guise says what it was made of.
    names = [photo.path.name for name in GUISES[1:] for photo in shown[name].photos]
    depends = [asdict(training), checksum(data / "emotions"), astuple(CLASSIFIER), FRAME, dogs, names, taught_by]
    depends.append(_digest(net) if pupil else None)
    fresh = ClassifierNet(training.backbone, len(CLASSIFIER.views), pretrained=False)
    return steps.weights(f"classifier-{training.backbone}", depends, fresh, fit)


def _digest(net: ClassifierNet) -> str:
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in net.state_dict().values())).hexdigest()


def _together(lessons: Sequence[Sequence[Shown]], shares: Sequence[float], balance: float) -> CutPhotos:
    """Return the cuts of all lessons, in memory: photos are drawn at random, over and over."""
    parts = [part for lesson in lessons for part in lesson]
    weights = [
        share * weights_of([photo for part in lesson for photo in part.photos], balance)
        for lesson, share in zip(lessons, shares, strict=True)
        if any(len(part.photos) for part in lesson)
    ]
    views = [np.concatenate(views) for views in zip(*(part.cuts.views for part in parts), strict=True)]
    masks = [np.concatenate(masks) for masks in zip(*(part.cuts.masks or () for part in parts), strict=True)]
    targets = np.concatenate([part.cuts.targets for part in parts])
    drawn = np.concatenate(weights)
    return CutPhotos(views, targets, drawn / drawn.sum(), masks)


def export_classifier(net: torch.nn.Module, storage: str) -> bytes:
    """Return a classifier's ONNX graph, checked against torch.

    Raises:
        LabError: the two differ.
    """
    example: Tensor = torch.rand(2, len(CLASSIFIER.views), 3, CLASSIFIER.side, CLASSIFIER.side)
    graph = to_onnx(net, example, ("logits", "maps"), {0: "n"}, storage)
    check_parity(graph, as_stored(net, storage), [example, example[:1]], PARITY)
    return graph
