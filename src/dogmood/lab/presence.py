"""How a finder's two signs of a dog are weighed, once it is exported.

Fitted on photos as they are and as collections of faces hold them: a finder that has
seen whole photos alone takes many a face for no dog, its mask above all.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from dogmood.boxes import Box
from dogmood.bundle import Network
from dogmood.finder import Finder, FinderSettings, Found
from dogmood.lab import LabError
from dogmood.lab.altered import Wear, face
from dogmood.lab.data.manifest import read_boxes, read_manifest
from dogmood.lab.data.pets import read_pets
from dogmood.lab.finder_metrics import eager
from dogmood.lab.nets.finder import SHARE_FLOOR
from dogmood.lab.progress import track
from dogmood.photo import open_photo

LABELLED = 500
"""Labelled photos that are looked at besides the pets, which show fewer dogs than other things."""

SURE = 1e-7
"""A probability is no nearer to 0 or 1: float32 tells no more."""

WEIGHT, BIAS = "head.presence.weigh.weight", "head.presence.weigh.bias"


def weigh_presence(graph: bytes, settings: FinderSettings, data: Path, seed: int = 0) -> bytes:
    """Weigh the signs anew, by logistic regression on the training photos in every guise.

    Each photo is looked at as it is and worn (`dogmood.lab.altered.Wear`), and so is the face of each dog and cat
    whose head is known.

    Args:
        graph: of a finder, whatever its weights for presence are.
        settings: how it looks.
        data: the folder that holds ``emotions/`` and ``finder/``.
        seed: of the labelled photos that are drawn, and of how photos are worn.

    Returns:
        The graph with other weights for presence.

    Raises:
        LabError: the photos are all of dogs or all of others, or the graph weighs no signs.
    """
    # The plain sum of the signs: larger weights would end in a probability of 0 or 1, which tells no more.
    # Masks as the network says them.
    finder = Finder(Network(_with_weights(graph, 1, 1, 0)), eager(replace(settings, mask=0.5)))
    random = np.random.default_rng(seed)
    signs, is_dog = [], []
    for path, head, dog in track(_training_photos(data, random), "Weighing the signs of a dog"):
        whole = open_photo(path).pixels
        for pixels in [whole] if head is None else [whole, face(whole, head)]:
            signs += [_signs(finder.find(guise)) for guise in (pixels, Wear.drawn(random).of(pixels))]
            is_dog += [dog, dog]
    if len(set(is_dog)) < 2:
        raise LabError(f"{data} must hold training photos with a dog and others without one.")
    # Balanced: how often dogs occur among a user's photos is not known.
    fitted = LogisticRegression(C=10.0, class_weight="balanced").fit(signs, is_dog)
    return _with_weights(graph, *fitted.coef_[0], *fitted.intercept_)


def _with_weights(graph: bytes, of_odds: float, of_share: float, constant: float) -> bytes:
    """Return a graph that weighs the signs like this."""
    weights = {WEIGHT: [[of_odds, of_share]], BIAS: [constant]}
    model = onnx.load_from_string(graph)
    known = {stored.name: stored for stored in model.graph.initializer}
    if not weights.keys() <= known.keys():
        raise LabError("The finder does not weigh two signs of a dog: take another model's, or train one.")
    for name, values in weights.items():
        known[name].CopyFrom(numpy_helper.from_array(np.array(values, np.float32), name))
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _training_photos(data: Path, random: np.random.Generator) -> list[tuple[Path, Box | None, bool]]:
    """Return pictures, the head in each where it is known, and whether they show a dog."""
    pets = [p for p in read_pets(data / "finder") if p.split == "train" and p.kind != "unchecked"]
    labelled = [p for p in read_manifest(data / "emotions") if p.split == "train" and p.tier != "web"]
    boxes = read_boxes(data / "emotions")
    photos = [(pet.path, pet.head, pet.kind == "dog") for pet in pets]
    for i in random.permutation(len(labelled))[:LABELLED].tolist():
        heads = [box.corners for box in boxes.get(labelled[i].path.name, []) if box.kind == "head" and box.score > 0]
        photos.append((labelled[i].path, heads[0] if heads else None, True))
    return photos


def _signs(found: Found) -> tuple[float, float]:
    """Return the odds and the share, given what a graph says that adds them up."""
    both = float(logit(np.clip(found.presence, SURE, 1 - SURE)))
    share = float(np.log(found.mask.mean() + SHARE_FLOOR))
    return both - share, share
