"""Make the classifiers: found dogs -> cuts -> training on labels, and by teachers -> ONNX."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dogmood.classifier import View
from dogmood.doubt import softmax
from dogmood.emotions import EMOTIONS
from dogmood.finder import Finder, FoundDog
from dogmood.lab import LabError
from dogmood.lab.cuts import Cutting, cut_photos
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.data.originals import originals_to_learn_from
from dogmood.lab.data.pets import read_pets
from dogmood.lab.devices import best_device
from dogmood.lab.dogs import KnownDogs
from dogmood.lab.export import as_stored, check_parity, stored_weights, to_onnx, with_weights
from dogmood.lab.guises import faces, on_backdrops
from dogmood.lab.masks import KnownMasks
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.steps import Steps
from dogmood.lab.train_classifier import ClassifierTraining, CutPhotos, answers, train_classifier, weights_of

VIEWS = (View("body", 1.05), View("head", 1.5))
MARGIN = 8 / 7
"""Side of the stored cuts over that of what the classifier is shown: the margin lets crops vary."""

BLACK = (0, 0, 0)

GUISES = ("faces", "backdrops")
"""In which the training photos are learnt from, beside as they are."""

HEAD_BIAS = "head.bias"
"""What a graph of `ClassifierNet` calls the part of its logits that belongs to no place in the picture."""

PARITY = 2e-3
"""How far ONNX and torch may lie apart: their transformers' sums differ in the fourth digit."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The photos of one split, or of one guise, the dog in each, and its cuts.

    Attributes:
        photos: the photos.
        dogs: the dog in each.
        cuts: of the dogs.
        side: of the crops that the cuts are for.
        guise_of: the place among the training photos of the one that each is a guise of.
    """

    photos: Sequence[LabelledPhoto]
    dogs: Sequence[FoundDog]
    cuts: CutPhotos
    side: int
    guise_of: Sequence[int] = ()

    def taught(self, targets: NDArray[np.float32]) -> Shown:
        """Return the same with other labels; the likeliest emotion is what a photo counts as."""
        photos = [replace(p, label=EMOTIONS[i]) for p, i in zip(self.photos, targets.argmax(axis=1), strict=True)]
        return replace(self, photos=photos, cuts=replace(self.cuts, targets=targets))


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained classifier, and the photos at the resolution that it looks at."""

    net: ClassifierNet
    shown: Mapping[str, Shown]
    _said: dict[str, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)

    def answers_to(self, part: str) -> NDArray[np.float32]:
        """Return its probabilities ``(n, 5)`` for the photos of a part; it is asked once, whomever it teaches."""
        if part not in self._said:
            logits = answers(self.net.to(best_device()), self.shown[part].cuts, self.shown[part].side)
            self.net.cpu()  # there is room on the GPU for one after the other, not for all
            self._said[part] = softmax(logits.astype(np.float64)).astype(np.float32)
        return self._said[part]


def frame_of(side: int) -> int:
    """Return the side of the stored cuts for a classifier's crops of ``side`` pixels."""
    return round(side * MARGIN)


def show(data: Path, finder: Finder, finder_sha256: str, work: Path, side: int) -> dict[str, Shown]:
    """Find and cut the dog of every labelled photo, for a classifier that looks at ``side`` pixels.

    Returns:
        By split; as ``web`` the training photos that nobody has read; as ``faces`` and
        ``backdrops`` the training photos in these guises; as ``originals`` training pictures
        of the original experiment, none where ``data`` has no folder of that name.
    """
    parts: dict[str, list[LabelledPhoto]] = {"train": [], "valid": [], "test": [], "web": []}
    for photo in read_manifest(data / "emotions"):
        parts["web" if photo.tier == "web" else photo.split].append(photo)
    parts["originals"] = originals_to_learn_from(data / "original") if (data / "original").is_dir() else []
    known, masks = KnownDogs(finder, finder_sha256, work), KnownMasks(finder, finder_sha256, work / "masks")
    guises, train = work / "guises", parts["train"]
    cut_out = faces(train, known.of(train), guises)
    parts["faces"] = list(cut_out.values())
    dogs = {name: known.of(photos) for name, photos in parts.items()}
    # What is only looked at needs no mask.
    dog_masks = {name: masks.of(parts[name]) for name in ("train", "faces", "web", "originals")}
    empty = [pet.path for pet in read_pets(data / "finder") if pet.kind == "none" and pet.split == "train"]
    parts["backdrops"] = on_backdrops(train, dog_masks["train"], empty, guises)
    # Before another backdrop, the dog is where it was.
    dogs["backdrops"], dog_masks["backdrops"] = dogs["train"], dog_masks["train"]
    shown = {name: _shown(photos, dogs[name], dog_masks.get(name), work, side) for name, photos in parts.items()}
    shown["faces"] = replace(shown["faces"], guise_of=list(cut_out))
    shown["backdrops"] = replace(shown["backdrops"], guise_of=range(len(train)))
    return shown


def _shown(
    photos: Sequence[LabelledPhoto],
    dogs: Sequence[FoundDog],
    masks: Sequence[LabelledPhoto] | None,
    work: Path,
    side: int,
) -> Shown:
    frame = frame_of(side)
    views = [replace(view, expand=view.expand * frame / side) for view in VIEWS]
    cuts = [cut_photos(photos, Cutting(view, frame, 3), work / "cuts", dogs) for view in views]
    dog = (
        [cut_photos(masks, Cutting(view, frame, 1, BLACK), work / "cuts", dogs) for view in views]
        if masks is not None
        else None
    )
    targets = np.array([photo.soft for photo in photos], np.float32).reshape(-1, len(EMOTIONS))
    return Shown(photos, dogs, CutPhotos(cuts, targets, np.full(len(photos), 1 / max(1, len(photos))), dog), side)


def train_on_labels(
    data: Path, shown: Mapping[str, Shown], steps: Steps, training: ClassifierTraining
) -> ClassifierNet:
    """Train a classifier on the labels, or take what an earlier call has trained."""
    return _trained(data, shown, [[shown[name]] for name in _learnt(training)], steps, training)


def train_on_teachers(
    data: Path, shown: Mapping[str, Shown], teachers: Sequence[Teacher], steps: Steps, training: ClassifierTraining
) -> ClassifierNet:
    """Train a classifier on labels and teachers' answers (Hinton et al. 2015, arXiv:1503.02531).

    The mean of the teachers' answers is mixed into the labels of photos that have been
    read, and stands alone for those of the web.  In whatever guise, a photo has the
    answer to it as it is: there the teachers see most.

    Args:
        data: the folder that holds ``emotions/``.
        shown: what is learnt from.
        teachers: their answers count alike.
        steps: where the result is kept.
        training: how to train.
    """
    asked = [name for name in ("web", *_learnt(training)) if name not in GUISES]
    said = {name: np.mean([teacher.answers_to(name) for teacher in teachers], axis=0) for name in asked}

    def mixed(name: str, answers_to: NDArray[np.float32]) -> Shown:
        targets = (1 - training.teacher) * shown[name].cuts.targets + training.teacher * answers_to
        return replace(shown[name], cuts=replace(shown[name].cuts, targets=targets))

    # How rare an emotion is among unread photos is the teachers' to say.
    lessons = [[mixed("train", said["train"]), shown["web"].taught(said["web"])]]
    lessons += [[mixed(name, said["train"][list(shown[name].guise_of)])] for name in GUISES]
    if training.originals:
        lessons.append([mixed("originals", said["originals"])])
    digest = hashlib.sha256(b"".join(answers_to.tobytes() for answers_to in said.values())).hexdigest()
    return _trained(data, shown, lessons, steps, training, digest)


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


def _trained(
    data: Path,
    shown: Mapping[str, Shown],
    lessons: Sequence[Sequence[Shown]],
    steps: Steps,
    training: ClassifierTraining,
    taught_by: str | None = None,
) -> ClassifierNet:
    """Train on what `_learnt` names, each lesson its share of what is drawn.

    Raises:
        LabError: originals are to be learnt from, and there are none.
    """
    if training.originals and not shown["originals"].photos:
        raise LabError(f"There are no pictures of the original experiment to learn from: {data} must hold original/.")
    torch.manual_seed(training.seed)
    net = ClassifierNet(training.backbone, len(VIEWS))

    def fit(checkpoint: Path) -> ClassifierNet:
        as_they_are = 1 - training.faces - training.backdrops
        rest = 1 - training.originals
        shares = [rest * share for share in (as_they_are, training.faces, training.backdrops)]
        if training.originals:
            shares.append(training.originals)
        cuts = _together(lessons, shares, training.balance)
        return train_classifier(net, cuts, shown["valid"].cuts, training, checkpoint)

    learnt = _learnt(training)
    dogs = [[dog.box, dog.head] for name in learnt for dog in shown[name].dogs]
    # The name of a picture in a guise says what it was made of.
    names = [photo.path.name for name in learnt[1:] for photo in shown[name].photos]
    manifests = [checksum(data / folder) for folder in learnt_folders([training])]
    depends = [asdict(training), manifests, VIEWS, MARGIN, dogs, names, taught_by]
    fresh = ClassifierNet(training.backbone, len(VIEWS), pretrained=False)
    return steps.weights(f"classifier-{training.backbone}", depends, fresh, fit)


def learnt_folders(trainings: Sequence[ClassifierTraining]) -> list[str]:
    """Return the folders of the data that such trainings learn emotions from."""
    return ["emotions", *(["original"] if any(training.originals for training in trainings) else [])]


def _learnt(training: ClassifierTraining) -> list[str]:
    """Return the parts whose photos are drawn: as they are, in guises, and originals where they have a share."""
    return ["train", *GUISES, *(["originals"] if training.originals else [])]


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


def biased(graph: bytes, bias: NDArray[np.float64]) -> bytes:
    """Return the graph of a classifier whose logits are larger by ``bias``, maps left alone.

    Raises:
        LabError: the graph is not of `ClassifierNet`.
    """
    return with_weights(graph, {HEAD_BIAS: (stored_weights(graph, HEAD_BIAS) + bias).astype(np.float32)})


def export_classifier(net: torch.nn.Module, storage: str, side: int) -> bytes:
    """Return the ONNX graph of a classifier that looks at ``side`` pixels, checked against torch.

    Raises:
        LabError: the two differ.
    """
    example: Tensor = torch.rand(2, len(VIEWS), 3, side, side)
    graph = to_onnx(net, example, ("logits", "maps"), {0: "n"}, storage)
    check_parity(graph, as_stored(net, storage), [example, example[:1]], PARITY)
    return graph
