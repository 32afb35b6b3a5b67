"""Whether the scene decides: accuracy with the backdrop, or the dog, taken out of each photo.

``python -m dogmood.lab.context --data DATA --model NAME``.  A reader of dogs should
lose little without the backdrop or on another one, and fall to chance without the dog.
What is dog is said by the model's own finder, on the untouched photo; the crops are
the same in every condition.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.classifier import Classifier
from dogmood.emotions import EMOTIONS
from dogmood.finder import Finder
from dogmood.lab.altered import dog_share, on_backdrop, without_backdrop, without_box, without_dog
from dogmood.lab.command import run
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.data.pets import read_pets
from dogmood.lab.dogs import largest
from dogmood.lab.each import ONE_THREAD, each
from dogmood.lab.finder_metrics import eager
from dogmood.lab.intervals import mean_with_interval
from dogmood.photo import open_photo


def measure_context(model: str, data: Path, split: str) -> dict[str, Any]:
    """Return a model's accuracy of five emotions under each condition, on one split.

    Args:
        model: a shipped model's name, or a file.
        data: the folder that holds ``emotions/`` and ``finder/``, whose test pictures
            without an animal are the other backdrops.
        split: ``valid`` or ``test``.
    """
    bundle = open_bundle(model)
    settings = read_settings(bundle.card)
    finder = Finder(Network(bundle.finder, ONE_THREAD), eager(settings.finder))
    classifier = Classifier(Network(bundle.classifier, ONE_THREAD), settings.classifier)
    photos = [photo for photo in read_manifest(data / "emotions") if photo.split == split]
    backdrops = [pet.path for pet in read_pets(data / "finder") if pet.kind == "none" and pet.split == "test"]
    drawn = np.random.default_rng(0).integers(len(backdrops), size=len(photos))
    groups = [photo.block for photo in photos]

    def hits(subject: tuple[LabelledPhoto, int]) -> dict[str, bool]:
        photo, number = subject
        pixels = open_photo(photo.path).pixels
        found = finder.find(pixels)
        largest_dog = largest(found.dogs)
        dog = dog_share(found, *pixels.shape[1::-1])
        other = open_photo(backdrops[number]).pixels
        changed = {
            "as it is": pixels,
            "backdrop blanked": without_backdrop(pixels, dog),
            "backdrop swapped": on_backdrop(pixels, dog, other),
            "dog blanked": without_dog(pixels, dog),
            "dog's box blanked": without_box(pixels, largest_dog.box),
        }
        said = {name: classifier.classify(picture, largest_dog).logits for name, picture in changed.items()}
        return {name: EMOTIONS[int(logits.argmax())] == photo.label for name, logits in said.items()}

    right = list(each(hits, list(zip(photos, drawn.tolist(), strict=True)), "Context"))
    return {
        "model": {"name": bundle.name, "version": bundle.version, "sha256": bundle.sha256},
        "data": {"emotions/manifest.csv": checksum(data / "emotions"), "split": split},
        "n": len(photos),
        "chance": max(np.unique([p.label for p in photos], return_counts=True)[1].tolist()) / len(photos),
        "accuracy": {name: mean_with_interval([hit[name] for hit in right], groups) for name in right[0]},
    }


def main() -> None:
    """Run the command line."""
    run(measure_context, __doc__, "emotions/ and finder/")


if __name__ == "__main__":
    main()
