"""Measure a finished model file on held-out photos: ``python -m dogmood.lab.measure``.

Emotions are measured on the dog each label is about (the largest); how often the
shipped thresholds would have said "no dog" there is counted apart.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.classifier import Classifier
from dogmood.doubt import Doubt, probabilities_of
from dogmood.emotions import EMOTIONS
from dogmood.errors import DogMoodError
from dogmood.finder import Finder, FoundDog
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.data.pets import read_pets
from dogmood.lab.dogs import largest
from dogmood.lab.each import ONE_THREAD, each
from dogmood.lab.emotion_metrics import Predictions, calibration_error, measure_emotions
from dogmood.lab.finder_metrics import Seen, eager, measure_finder
from dogmood.lab.intervals import mean_with_interval
from dogmood.lab.two_dogs import measure_pairs
from dogmood.photo import open_photo

FOUR = ("anger", "fear", "happiness", "sadness")
WITHOUT_FEAR = ("anger", "happiness", "sadness", "relaxed")
HEAD_SIZES = (64, 128, 192)
"""Sides in pixels that part small heads from large ones."""


def look_at_pets(finder: Finder, data: Path, split: str) -> list[Seen]:
    """Return what a finder says of the checked pet photos of a split."""
    pets = [p for p in read_pets(data / "finder") if p.split == split and p.kind != "unchecked"]
    return list(each(lambda pet: Seen(pet, finder.find(open_photo(pet.path).pixels)), pets, f"Finder: {split}"))


def predict(
    classifier: Classifier, photos: Sequence[LabelledPhoto], dogs: Sequence[FoundDog], ten_crop: bool = False
) -> Predictions:
    """Return a classifier's answers to labelled photos, given the dog in each."""

    def answer(subject: tuple[LabelledPhoto, FoundDog]) -> NDArray[np.float32]:
        photo, dog = subject
        return classifier.classify(open_photo(photo.path).pixels, dog, ten_crop).logits

    logits = list(each(answer, list(zip(photos, dogs, strict=True)), "Classifier"))
    labels = [EMOTIONS.index(photo.label) for photo in photos]
    return Predictions(np.stack(logits), np.array(labels), [photo.block for photo in photos])


def emotion_figures(answers: Predictions, doubt: Doubt) -> dict[str, Any]:
    """Return the figures of the five-class task and of the two four-class ones."""
    return {
        "five": measure_emotions(answers, doubt),
        "four": measure_emotions(answers, doubt, FOUR),
        "without fear": measure_emotions(answers, doubt, WITHOUT_FEAR),
    }


def accuracy_by_kind(
    answers: Predictions, photos: Sequence[LabelledPhoto], dogs: Sequence[FoundDog]
) -> dict[str, dict[str, Any]]:
    """Return the accuracy of five emotions on each kind of photo.

    Kinds are: grey or colour, the size of the head (the body where none was found) in
    pixels of the photo, and where the photo was found.
    """
    hit = answers.logits.argmax(axis=1) == answers.labels
    kinds = {
        "colour": ["grey" if photo.grey else "colour" for photo in photos],
        "size of the head": [_size(dog) for dog in dogs],
        "source": [photo.source for photo in photos],
    }
    return {name: _by_value(values, hit, answers.groups) for name, values in kinds.items()}


def _size(dog: FoundDog) -> str:
    x0, y0, x1, y1 = dog.head or dog.box
    side = max(x1 - x0, y1 - y0)
    return next((f"under {edge} px" for edge in HEAD_SIZES if side < edge), f"{HEAD_SIZES[-1]} px and more")


def _by_value(values: Sequence[str], hit: NDArray[np.bool_], groups: Sequence[Hashable]) -> dict[str, Any]:
    figures = {}
    for value in sorted(set(values)):
        chosen = np.flatnonzero(np.array(values) == value)
        accuracy = mean_with_interval(hit[chosen], [groups[i] for i in chosen.tolist()])
        figures[value] = {"n": len(chosen), "accuracy": accuracy}
    return figures


def least_ece(answers: Predictions, doubt: Doubt, rounds: int = 1000) -> dict[str, float]:
    """Return the ECE that a perfectly calibrated model would show on as many photos.

    Labels are drawn from the model's own probabilities, so that every gap is chance.

    Returns:
        ``mean`` and the 95 % point, ``high``, over the draws.
    """
    confidence = probabilities_of(answers.logits, doubt).max(axis=1)
    random = np.random.default_rng(0)
    values = [calibration_error(confidence, random.random(len(confidence)) < confidence) for _ in range(rounds)]
    return {"mean": float(np.mean(values)), "high": float(np.quantile(values, 0.95))}


def measure_model(model: str, data: Path, split: str, ten_crop: bool) -> dict[str, Any]:
    """Return all figures of a model file on one split."""
    bundle = open_bundle(model)
    settings = read_settings(bundle.card)
    network = Network(bundle.finder, ONE_THREAD)
    finder = Finder(network, eager(settings.finder))
    classifier = Classifier(Network(bundle.classifier, ONE_THREAD), settings.classifier)
    pets = look_at_pets(finder, data, split)
    photos = [p for p in read_manifest(data / "emotions") if p.split == split]
    found = list(each(lambda photo: finder.find(open_photo(photo.path).pixels), photos, "Finding dogs"))
    dogs = [largest(f.dogs) for f in found]
    answers = predict(classifier, photos, dogs, ten_crop)
    return {
        "model": {"name": bundle.name, "version": bundle.version, "sha256": bundle.sha256},
        "data": {
            "emotions/manifest.csv": checksum(data / "emotions"),
            "finder/index.csv": checksum(data / "finder", "index.csv"),
            "split": split,
        },
        "ten crop": ten_crop,
        "finder": measure_finder(pets, settings.finder.presence),
        "two dogs side by side": measure_pairs(Finder(network, settings.finder), [seen.photo for seen in pets]),
        "emotions": emotion_figures(answers, settings.doubt),
        "ECE of a perfect calibration": least_ece(answers, settings.doubt),
        "by kind of photo": accuracy_by_kind(answers, photos, dogs),
        "labelled photos called 'no dog'": sum(f.presence < settings.finder.presence for f in found),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds emotions/ and finder/")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--split", default="test", choices=("valid", "test"))
    parser.add_argument("--ten-crop", action="store_true")
    options = parser.parse_args()
    try:
        figures = measure_model(options.model, options.data, options.split, options.ten_crop)
    except (LabError, DogMoodError) as error:
        sys.exit(str(error))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
