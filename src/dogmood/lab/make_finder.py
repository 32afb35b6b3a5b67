"""Make the finder: backbone features -> heads -> ONNX -> weights of presence -> thresholds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from dogmood.boxes import Box
from dogmood.bundle import Network
from dogmood.finder import Finder, FinderSettings, with_edge
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_boxes, read_manifest
from dogmood.lab.data.pets import read_pets
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.features import FeatureCache, weights_digest
from dogmood.lab.finder_metrics import FALSE_ALARMS, Seen, eager, mask_iou, measure_finder
from dogmood.lab.finder_targets import Truth
from dogmood.lab.finder_views import FinderPhoto, View, shown
from dogmood.lab.measure import look_at_pets
from dogmood.lab.nets.finder import FinderHead, FinderNet
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.presence import weigh_presence
from dogmood.lab.steps import Steps
from dogmood.lab.train_finder import (
    Example,
    FinderTraining,
    masks_seen,
    taught,
    train_finder,
    truth_of_labelled,
    truth_of_pet,
)
from dogmood.photo import FORMATS

SIDES = (448, 320)
"""The long sides that whole photos are learnt at, above and at what finders look at."""

FINDER = FinderSettings(side=384, presence=0.5, box=0.7, head=0.1, enlarged=1.25, box_with_head=0.1)
LABELLED_FOR_FINDER = 2500
"""Labelled photos, with a detector's boxes, that the finder learns from besides the pets."""

EDGES = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Cuts of a mask that are tried."""

PARITY = 1e-2
"""Distances reach some dozen cells: float32 sums differ in the fourth digit."""


def make_finder(data: Path, steps: Steps, training: FinderTraining) -> tuple[bytes, FinderSettings, Any]:
    """Train and export the finder.

    Its heads learn from whole photos first, and go on with masks that they say
    themselves, of the photos in every guise.

    Returns:
        Its ONNX graph, its settings with the presence threshold chosen on
        validation, and its figures on the held-out test photos.
    """
    photos = _photos(data, training.seed)
    backbone = LiteBackbone().eval()
    depends = [asdict(training), checksum(data / "finder", "index.csv"), checksum(data / "emotions"), SIDES]
    wholes = [[View(side)] * len(photos) for side in SIDES]
    truths = [photo.truth for photo in photos]

    def features(photos: Sequence[FinderPhoto], views: Sequence[View]) -> FeatureCache:
        keys, picture = shown(photos, views)
        cache = FeatureCache(steps.work / "features", backbone, weights_digest(backbone), keys, picture)
        cache.fill("Finder: features")
        return cache

    def learn(_: Path) -> FinderHead:
        pairs = (pair for views in wholes for pair in zip(features(photos, views), truths, strict=True))
        return train_finder([Example(*pair) for pair in pairs], training)

    def go_on(_: Path) -> FinderHead:
        seen = [list(features(photos, views)) for views in wholes]
        known = [taught(t, masks_seen(first, views)) for t, *views in zip(truths, *seen, strict=True)]
        examples = [Example(maps, truth) for of_side in seen for maps, truth in zip(of_side, known, strict=True)]
        guises = [(i, view) for i, photo in enumerate(photos) for view in photo.guises(replace(FINDER, side=SIDES[0]))]
        of_guises = features([photos[i] for i, _ in guises], [view for _, view in guises])
        for maps, (i, view) in zip(of_guises, guises, strict=True):
            examples.append(Example(maps, view.of(known[i], *photos[i].size)))
        return train_finder(examples, replace(training, rate=training.rate / 2), first)

    first = steps.weights("finder-first", depends, FinderHead(), learn)
    head = steps.weights("finder", depends, FinderHead(), go_on)
    net = FinderNet(backbone, head).eval()
    example = torch.rand(2, 3, 256, 320)
    graph = to_onnx(net, example, ("presence", "mask", "body", "head"), {0: "n", 2: "height", 3: "width"})
    check_parity(graph, as_stored(net), [example, torch.rand(1, 3, 384, 288)], PARITY)
    graph = weigh_presence(graph, FINDER, data)
    return graph, *with_thresholds(graph, FINDER, data)


def with_thresholds(graph: bytes, settings: FinderSettings, data: Path) -> tuple[FinderSettings, Any]:
    """Choose a finder's presence threshold and the edge of its masks.

    The threshold on training and validation photos: those of validation alone are too few
    to tell what one in a hundred of each kind reaches.  The edge on validation photos.

    Returns:
        The settings with them, and the figures on the held-out test photos.
    """
    looking = Finder(Network(graph), eager(replace(settings, mask=0.5)))
    train, valid = (look_at_pets(looking, data, split) for split in ("train", "valid"))
    chosen = replace(settings, presence=_presence_threshold(train + valid), mask=_mask_edge(valid))
    tested = look_at_pets(Finder(Network(graph), eager(chosen)), data, "test")
    return chosen, measure_finder(tested, chosen.presence)


def _photos(data: Path, seed: int) -> list[FinderPhoto]:
    """Return the training photos of which something is known that the finder can learn."""
    boxes = read_boxes(data / "emotions")
    photos = []
    for pet in read_pets(data / "finder"):
        truth = truth_of_pet(pet) if pet.split == "train" else None
        if truth is not None:
            photos.append(_photo(pet.path, truth, pet.head))
    for photo in _for_finder(read_manifest(data / "emotions"), data, seed):
        known = boxes.get(photo.path.name, [])
        truth = truth_of_labelled(photo, known, *_size(photo.path))
        if truth is not None:
            heads = [box.corners for box in known if box.kind == "head" and box.score > 0]
            photos.append(_photo(photo.path, truth, heads[0] if truth.heads else None))
    return photos


def _photo(path: Path, truth: Truth, head: Box | None) -> FinderPhoto:
    return FinderPhoto(path, hashlib.sha256(path.read_bytes()).hexdigest(), _size(path), truth, head)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=FORMATS) as image:
        return image.size


def _for_finder(photos: Sequence[LabelledPhoto], data: Path, seed: int) -> list[LabelledPhoto]:
    """Choose labelled training photos: all with several dogs, and a random share of the rest."""
    boxes = read_boxes(data / "emotions")
    train = [p for p in photos if p.split == "train" and p.tier != "web"]
    several = [p for p in train if sum(b.kind == "dog" for b in boxes.get(p.path.name, [])) > 1]
    rest = [p for p in train if p not in set(several)]
    drawn = np.random.default_rng(seed).permutation(len(rest))[: LABELLED_FOR_FINDER - len(several)]
    return several + [rest[i] for i in sorted(drawn.tolist())]


def _presence_threshold(seen: Sequence[Seen]) -> float:
    """Return the presence that one in a hundred reaches, of cats or of empty pictures, whichever is higher."""
    others = [[s.found.presence for s in seen if s.photo.kind == kind] for kind in ("none", "cat")]
    reached = [np.quantile(presences, 1 - FALSE_ALARMS) for presences in others if presences]
    # A small collection may hold nothing that is hard, or nothing that is easy.
    return float(np.clip(max(reached, default=0.5), 0.2, 0.95))


def _mask_edge(seen: Sequence[Seen]) -> float:
    """Return the cut at which masks fit the exact ones best, on validation photos; 0.5 without any."""
    exact = [(s.found.mask, mask) for s in seen if s.photo.kind == "dog" and (mask := s.photo.mask()) is not None]
    if not exact:
        return 0.5
    fits = {edge: np.mean([mask_iou(with_edge(soft, edge), mask) for soft, mask in exact]) for edge in EDGES}
    return max(fits, key=lambda edge: fits[edge])
