"""How a finder's two signs of a dog are weighed, once it is exported.

Fitted on photos as they are and as collections of faces hold them, none of which the
finder has learnt from: on those that it has, its mask is surer than it should be.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from dogmood.boxes import Box
from dogmood.bundle import Network
from dogmood.finder import Finder, FinderSettings, Found
from dogmood.lab import LabError
from dogmood.lab.altered import Wear, face
from dogmood.lab.data.manifest import read_boxes, read_manifest
from dogmood.lab.data.pets import read_pets
from dogmood.lab.export import with_weights
from dogmood.lab.finder_metrics import eager
from dogmood.lab.finder_photos import heads_in, labelled_for_finder
from dogmood.lab.nets.finder import SHARE_FLOOR
from dogmood.lab.progress import track
from dogmood.photo import open_photo

LABELLED = 500
"""Labelled training photos that are looked at besides those of validation, which are few."""

SURE = 1e-7
"""A probability is no nearer to 0 or 1: float32 tells no more."""

WEIGHT, BIAS = "head.presence.weigh.weight", "head.presence.weigh.bias"


def weigh_presence(graph: bytes, settings: FinderSettings, data: Path, seed: int = 0) -> bytes:
    """Weigh the signs anew, by logistic regression on validation and further training photos in every guise.

    Each photo is looked at as it is and worn (`dogmood.lab.altered.Wear`), and so is the face of each dog and cat
    whose head is known.

    Args:
        graph: of a finder, whatever its weights for presence are.
        settings: how it looks.
        data: the folder that holds ``emotions/`` and ``finder/``.
        seed: that the finder was trained with, which says what it has learnt from; also of the
            labelled photos that are drawn here, and of how photos are worn.

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
    for path, head, dog in track(_unlearnt(data, seed, random), "Weighing the signs of a dog"):
        whole = open_photo(path).pixels
        for pixels in [whole] if head is None else [whole, face(whole, head)]:
            signs += [_signs(finder.find(guise)) for guise in (pixels, Wear.drawn(random).of(pixels))]
            is_dog += [dog, dog]
    if len(set(is_dog)) < 2:
        raise LabError(f"{data} must hold validation photos with a dog and others without one.")
    # Balanced: how often dogs occur among a user's photos is not known.
    fitted = LogisticRegression(C=10.0, class_weight="balanced").fit(signs, is_dog)
    return _with_weights(graph, *fitted.coef_[0], *fitted.intercept_)


def _with_weights(graph: bytes, of_odds: float, of_share: float, constant: float) -> bytes:
    """Return a graph that weighs the signs like this."""
    weights = {WEIGHT: [[of_odds, of_share]], BIAS: [constant]}
    try:
        return with_weights(graph, {name: np.array(values, np.float32) for name, values in weights.items()})
    except LabError as error:
        raise LabError("The finder does not weigh two signs of a dog: take another model's, or train one.") from error


def _unlearnt(data: Path, seed: int, random: np.random.Generator) -> list[tuple[Path, Box | None, bool]]:
    """Return pictures, the head in each where it is known, and whether they show a dog."""
    pets = [p for p in read_pets(data / "finder") if p.split == "valid" and p.kind != "unchecked"]
    photos = [(pet.path, pet.head, pet.kind == "dog") for pet in pets]
    learnt = {photo.path for photo in labelled_for_finder(data, seed)}
    labelled = read_manifest(data / "emotions")
    rest = [p for p in labelled if p.split == "train" and p.tier != "web" and p.path not in learnt]
    drawn = [rest[i] for i in random.permutation(len(rest))[:LABELLED].tolist()]
    boxes = read_boxes(data / "emotions")
    for photo in [p for p in labelled if p.split == "valid"] + drawn:
        heads = heads_in(boxes.get(photo.name, []))
        photos.append((photo.path, heads[0] if heads else None, True))
    return photos


def _signs(found: Found) -> tuple[float, float]:
    """Return the odds and the share, given what a graph says that adds them up."""
    both = float(logit(np.clip(found.presence, SURE, 1 - SURE)))
    share = float(np.log(found.mask.mean() + SHARE_FLOOR))
    return both - share, share
