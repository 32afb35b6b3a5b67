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

from dogmood.bundle import Network
from dogmood.finder import Finder, FinderSettings, whole_photo, with_edge
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_boxes, read_manifest
from dogmood.lab.data.pets import PetPhoto, read_pets
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.features import FeatureCache, weights_digest
from dogmood.lab.finder_metrics import FALSE_ALARMS, Seen, eager, mask_iou, measure_finder
from dogmood.lab.measure import look_at_pets
from dogmood.lab.nets.finder import FinderHead, FinderNet
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.presence import weigh_presence
from dogmood.lab.steps import Steps
from dogmood.lab.train_finder import (
    Example,
    FinderTraining,
    train_finder,
    truth_of_labelled,
    truth_of_pet,
)
from dogmood.photo import FORMATS, open_photo

FINDER = FinderSettings(side=384, presence=0.5, box=0.7, head=0.1, enlarged=1.25, box_with_head=0.1)
LABELLED_FOR_FINDER = 2500
"""Labelled photos, with a detector's boxes, that the finder learns from besides the pets."""

EDGES = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Cuts of a mask that are tried."""

PARITY = 1e-2
"""Distances reach some dozen cells: float32 sums differ in the fourth digit."""


def make_finder(data: Path, steps: Steps, training: FinderTraining) -> tuple[bytes, FinderSettings, Any]:
    """Train and export the finder.

    Returns:
        Its ONNX graph, its settings with the presence threshold chosen on
        validation, and its figures on the held-out test photos.
    """
    pets = read_pets(data / "finder")
    labelled = _for_finder(read_manifest(data / "emotions"), data, training.seed)
    backbone = LiteBackbone().eval()
    depends = [asdict(training), checksum(data / "finder", "index.csv"), checksum(data / "emotions"), FINDER.side]
    head = steps.weights(
        "finder",
        depends,
        FinderHead(),
        lambda _: train_finder(_examples(pets, labelled, data, backbone, steps.work), training),
    )
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
        with Image.open(photo.path, formats=FORMATS) as image:
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
