"""Make a model file from labelled photos: ``python -m dogmood.lab.weights``.

finder: backbone features -> heads -> ONNX -> presence threshold on validation
classifier: found dogs -> crops -> trunk maps -> training -> ONNX -> doubt on validation
file: both networks and a card with settings, figures on test and data checksums

Each step is kept in ``--work``, so that a run which was stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from dogmood import __version__
from dogmood.atomic import atomic_write
from dogmood.boxes import Box
from dogmood.bundle import Network, write_bundle
from dogmood.card import Settings
from dogmood.classifier import Classifier, ClassifierSettings, View
from dogmood.emotions import EMOTIONS
from dogmood.errors import DogMoodError
from dogmood.finder import Finder, FinderSettings, FoundDog, whole_photo
from dogmood.lab import LabError
from dogmood.lab.calibrate import fit_doubt
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_boxes, read_manifest
from dogmood.lab.data.pets import PetPhoto, read_pets
from dogmood.lab.dogs import VARIANTS, Subject, cut_variant, subjects, variant_key
from dogmood.lab.emotion_metrics import Predictions
from dogmood.lab.export import check_parity, rounded_to_half, to_onnx
from dogmood.lab.features import FeatureCache, weights_digest
from dogmood.lab.finder_metrics import Seen, eager, measure_finder
from dogmood.lab.measure import emotion_figures, look_at_pets, predict
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.nets.finder import FinderHead, FinderNet
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.train_classifier import ClassifierTraining, TrainingSet, train_classifier, weights_of
from dogmood.lab.train_finder import (
    Example,
    FinderTraining,
    train_finder,
    truth_of_labelled,
    truth_of_pet,
)
from dogmood.photo import open_photo

VERSION = "0.1.0"
FINDER = FinderSettings(side=384, presence=0.5, box=0.7, head=0.1)
CLASSIFIER = ClassifierSettings(side=224, views=(View("body", 1.05), View("head", 1.5)))
LABELLED_FOR_FINDER = 2500
"""Labelled photos, with a detector's boxes, that the finder learns from besides the pets."""
PARITY = 1e-3
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Plan:
    """How both networks are trained."""

    finder: FinderTraining
    classifier: ClassifierTraining


class Step:
    """Results on disk, named by what they depend on."""

    def __init__(self, work: Path) -> None:
        self.work = work
        work.mkdir(parents=True, exist_ok=True)

    def weights(self, name: str, depends: Any, net: Net, make: Callable[[], nn.Module]) -> Net:
        """Load a network's weights, or make and keep them."""
        path = self._path(name, depends, "safetensors")
        if not path.exists():
            made = make()
            partial = path.with_suffix(".part")
            save_file(made.state_dict(), partial)
            partial.rename(path)
        net.load_state_dict(load_file(path))
        return net.eval()

    def facts(self, name: str, depends: Any, make: Callable[[], Any]) -> Any:
        """Load what JSON can hold, or make and keep it."""
        path = self._path(name, depends, "json")
        if not path.exists():
            with atomic_write(path, text=True) as file:
                json.dump(make(), file)
        return json.loads(path.read_text())

    def _path(self, name: str, depends: Any, suffix: str) -> Path:
        digest = hashlib.sha256(json.dumps(depends, default=str).encode()).hexdigest()[:12]
        return self.work / f"{name}-{digest}.{suffix}"


def make_finder(data: Path, step: Step, training: FinderTraining) -> tuple[bytes, FinderSettings, Any]:
    """Train and export the finder.

    Returns:
        Its ONNX graph, its settings with the presence threshold chosen on
        validation, and its figures on the held-out test photos.
    """
    pets = read_pets(data / "finder")
    labelled = _for_finder(read_manifest(data / "emotions"), data, training.seed)
    backbone = LiteBackbone().eval()
    depends = [asdict(training), checksum(data / "finder", "index.csv"), checksum(data / "emotions"), FINDER.side]
    head = step.weights(
        "finder",
        depends,
        FinderHead(),
        lambda: train_finder(_examples(pets, labelled, data, backbone, step.work), training),
    )
    net = FinderNet(backbone, head).eval()
    example = torch.rand(2, 3, 256, 320)
    graph = to_onnx(net, example, ("presence", "mask", "body", "head"), {0: "n", 2: "height", 3: "width"})
    # Distances reach some dozen cells: float32 sums differ in the fourth digit.
    check_parity(graph, rounded_to_half(net), [example, torch.rand(1, 3, 384, 288)], PARITY * 10)

    finder = Finder(Network(graph), eager(FINDER))
    settings = replace(FINDER, presence=_presence_threshold(look_at_pets(finder, data, "valid")))
    return graph, settings, measure_finder(look_at_pets(finder, data, "test"), settings.presence)


def make_classifier(
    data: Path, step: Step, finder: Finder, training: ClassifierTraining
) -> tuple[bytes, dict[str, Predictions]]:
    """Train and export the classifier.

    Returns:
        Its ONNX graph, and its answers to the validation and the test photos.
    """
    photos = [p for p in read_manifest(data / "emotions") if p.tier != "web"]
    # What the finder says depends on its weights: ask one photo's box to tell.
    found = step.facts(
        "dogs",
        [checksum(data / "emotions"), finder.settings, finder.find(open_photo(photos[0].path).pixels).dogs],
        lambda: [[s.dog.box, s.dog.head, s.dog.presence] for s in subjects(finder, [p.path for p in photos])],
    )
    # In tenths of a pixel, so that a last digit which differs between two machines
    # does not make all later work anew.
    dogs = [
        Subject(p.path, FoundDog(_tenths(box), _tenths(head) if head else None, presence))
        for p, (box, head, presence) in zip(photos, found, strict=True)
    ]
    net = ClassifierNet(len(CLASSIFIER.views)).eval()
    train = [(p, s) for p, s in zip(photos, dogs, strict=True) if p.split == "train"]

    def fit() -> nn.Module:
        return train_classifier(net, _training_set(train, net, step.work, training), training)

    depends = [asdict(training), checksum(data / "emotions"), CLASSIFIER, [[s.dog.box, s.dog.head] for _, s in train]]
    trained = step.weights("classifier", depends, ClassifierNet(len(CLASSIFIER.views)), fit)
    example = torch.rand(2, len(CLASSIFIER.views), 3, CLASSIFIER.side, CLASSIFIER.side)
    graph = to_onnx(trained, example, ("logits", "maps"), {0: "n"})
    check_parity(graph, rounded_to_half(trained), [example, example[:1]], PARITY)
    classifier = Classifier(Network(graph), CLASSIFIER)
    answers = {}
    for split in ("valid", "test"):
        chosen = [(p, s.dog) for p, s in zip(photos, dogs, strict=True) if p.split == split]
        answers[split] = predict(classifier, [p for p, _ in chosen], [dog for _, dog in chosen])
    return graph, answers


def make_model(data: Path, out: Path, work: Path, plan: Plan, command: str) -> dict[str, Any]:
    """Make the whole model file and return its card.

    Args:
        data: the folder that holds ``emotions/`` and ``finder/``.
        out: the file to be; its name is the model's.
        work: where finished steps are kept.
        plan: how to train.
        command: what the card shall name as the way to make it again.

    Raises:
        LabError: the data or the backbone's weights are absent or not as expected.
    """
    step = Step(work)
    finder_graph, finder_settings, finder_figures = make_finder(data, step, plan.finder)
    finder = Finder(Network(finder_graph), eager(finder_settings))
    graph, answers = make_classifier(data, step, finder, plan.classifier)
    valid, test = answers["valid"], answers["test"]
    doubt = fit_doubt(valid.logits.astype(np.float64), valid.labels)
    card: dict[str, Any] = {
        "name": out.stem,
        "version": VERSION,
        "labels": list(EMOTIONS),
        **Settings(finder_settings, CLASSIFIER, doubt).to_card(),
        "input": "RGB in [0, 1]; normalisation is part of the networks",
        "backbone": "EfficientNet-Lite0, ImageNet weights (Apache-2.0)",
        "made": {
            "by": f"dogmood {__version__}",
            "command": command,
            **asdict(plan),
            "data": {
                "emotions/manifest.csv": checksum(data / "emotions"),
                "finder/index.csv": checksum(data / "finder", "index.csv"),
            },
        },
        "figures": {
            "finder, test": finder_figures,
            "emotions, valid": emotion_figures(valid, doubt),
            "emotions, test": emotion_figures(test, doubt),
        },
    }
    write_bundle(out, card, finder_graph, graph)
    return card


def _tenths(box: Sequence[float]) -> Box:
    x0, y0, x1, y1 = (round(edge, 1) for edge in box)
    return x0, y0, x1, y1


def _for_finder(photos: Sequence[LabelledPhoto], data: Path, seed: int) -> list[LabelledPhoto]:
    """Choose labelled training photos: all with several dogs, and a random share of the rest."""
    boxes = read_boxes(data / "emotions")
    train = [p for p in photos if p.split == "train" and p.tier != "web"]
    several = [p for p in train if sum(b.kind == "dog" for b in boxes.get(p.path.name, [])) > 1]
    rest = [p for p in train if p not in set(several)]
    drawn = np.random.default_rng(seed).permutation(len(rest))[: LABELLED_FOR_FINDER - len(several)]
    return several + [rest[i] for i in sorted(drawn.tolist())]


def _examples(
    pets: Sequence[PetPhoto], labelled: Sequence[LabelledPhoto], data: Path, backbone: LiteBackbone, work: Path
) -> list[Example]:
    boxes = read_boxes(data / "emotions")
    truths = {p.path: truth_of_pet(p) for p in pets if p.split == "train"}
    for photo in labelled:
        with Image.open(photo.path) as image:
            truths[photo.path] = truth_of_labelled(photo, boxes.get(photo.path.name, []), *image.size)
    known = {path: truth for path, truth in truths.items() if truth is not None}
    paths = list(known)
    keys = [f"{hashlib.sha256(path.read_bytes()).hexdigest()} whole {FINDER.side}" for path in paths]
    cache = FeatureCache(
        work / "features",
        backbone,
        weights_digest(backbone),
        keys,
        lambda i: whole_photo(open_photo(paths[i]).pixels, FINDER.side),
    )
    cache.fill("Finder: features")
    return [Example(features, known[path]) for path, features in zip(paths, cache, strict=True)]


def _presence_threshold(seen: Sequence[Seen]) -> float:
    """Return the middle between the presence of others and that of dogs, on validation photos.

    Between the level that lets 1 % of the photos without a dog through and the one
    that misses 2 % of the dogs.
    """
    others = [s.found.presence for s in seen if s.photo.kind in ("none", "cat")]
    dogs = [s.found.presence for s in seen if s.photo.kind == "dog"]
    middle = (np.quantile(others, 0.99) + np.quantile(dogs, 0.02)) / 2
    return float(np.clip(middle, 0.2, 0.8))


def _training_set(
    train: Sequence[tuple[LabelledPhoto, Subject]], net: ClassifierNet, work: Path, training: ClassifierTraining
) -> TrainingSet:
    cuts = [(s, variant) for variant in range(VARIANTS) for _, s in train]
    views = len(CLASSIFIER.views)
    with torch.inference_mode():
        cache = FeatureCache(
            work / "features",
            lambda batch: (net.trunk(batch),),
            weights_digest(net.backbone),
            [f"{variant_key(s, CLASSIFIER, variant)} {view}" for s, variant in cuts for view in range(views)],
            lambda i: cut_variant(cuts[i // views][0], CLASSIFIER, cuts[i // views][1])[i % views],
        )
        cache.fill("Classifier: features")
    stacked = np.stack([maps for (maps,) in cache])
    return TrainingSet(
        maps=stacked.reshape(VARIANTS, len(train), views, *stacked.shape[1:]),
        targets=np.array([p.soft for p, _ in train], np.float32),
        weights=weights_of([p for p, _ in train], training.balance),
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds emotions/ and finder/")
    parser.add_argument("--out", type=Path, default=Path("src/dogmood/models/base.dogmood"))
    parser.add_argument("--work", type=Path, default=Path(".cache/weights"), help="where steps are kept")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    command = f"python -m dogmood.lab.weights --data DATA --seed {options.seed}"
    try:
        plan = Plan(FinderTraining(seed=options.seed), ClassifierTraining(seed=options.seed))
        card = make_model(options.data, options.out, options.work, plan, command)
    except (LabError, DogMoodError) as error:
        sys.exit(str(error))
    print(json.dumps(card["figures"], indent=1))


if __name__ == "__main__":
    main()
