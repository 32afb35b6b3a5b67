"""Make the finder: photos -> two lessons -> heads -> ONNX -> weights of presence -> thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import expit, logit

from dogmood.bundle import Network
from dogmood.finder import Finder, FinderSettings, with_edge
from dogmood.lab.each import ONE_THREAD
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.finder_lessons import Lessons
from dogmood.lab.finder_metrics import FALSE_ALARMS, Seen, eager, mask_iou, measure_finder
from dogmood.lab.finder_photos import finder_photos, finder_sources
from dogmood.lab.measure import look_at_pets
from dogmood.lab.nets.finder import FinderHead, FinderNet
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.presence import weigh_presence
from dogmood.lab.steps import Steps
from dogmood.lab.train_finder import FinderTraining, train_finder

SIDES = (448, 320)
"""The long sides that whole photos are learnt at, above and at what finders look at."""

FINDER = FinderSettings(side=384, presence=0.5, box=0.7, head=0.1, enlarged=1.25, box_with_head=0.1)

EDGES = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Cuts of a mask that are tried."""

FURTHER = 0.5
"""The rate of the second lesson, as a share of the first one's."""

MISSED = 0.02
"""The share of dogs that a threshold may miss."""

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
    backbone = LiteBackbone().eval()
    lessons = Lessons(finder_photos(data, training.seed), SIDES, backbone, steps.work)
    depends = [asdict(training), FURTHER, asdict(FINDER), finder_sources(data), SIDES]
    first = steps.weights("finder-first", depends, FinderHead(), lambda _: train_finder(lessons.wholes(), training))
    further = replace(training, rate=training.rate * FURTHER)
    head = steps.weights(
        "finder", depends, FinderHead(), lambda _: train_finder(lessons.guises(first, FINDER), further, first)
    )
    net = FinderNet(backbone, head).eval()
    example = torch.rand(2, 3, 256, 320)
    graph = to_onnx(net, example, ("presence", "mask", "body", "head"), {0: "n", 2: "height", 3: "width"})
    check_parity(graph, as_stored(net), [example, torch.rand(1, 3, 384, 288)], PARITY)
    graph = weigh_presence(graph, FINDER, data, training.seed)
    return graph, *with_thresholds(graph, FINDER, data)


def with_thresholds(graph: bytes, settings: FinderSettings, data: Path) -> tuple[FinderSettings, Any]:
    """Choose a finder's presence threshold and the edge of its masks, on validation photos.

    Returns:
        The settings with them, and the figures on the held-out test photos.
    """
    network = Network(graph, ONE_THREAD)
    valid = look_at_pets(Finder(network, eager(replace(settings, mask=0.5))), data, "valid")
    chosen = replace(settings, presence=_presence_threshold(valid), mask=_mask_edge(valid))
    tested = look_at_pets(Finder(network, eager(chosen)), data, "test")
    return chosen, measure_finder(tested, chosen.presence)


def _presence_threshold(seen: Sequence[Seen]) -> float:
    """Return the middle, in log odds, between what few others reach and few dogs fall short of.

    Of the others, cats and pictures without an animal, the kind that comes higher counts.
    """
    others = [[s.found.presence for s in seen if s.photo.kind == kind] for kind in ("none", "cat")]
    reached = [np.quantile(presences, 1 - FALSE_ALARMS) for presences in others if presences]
    missed = np.quantile([s.found.presence for s in seen if s.photo.kind == "dog"] or [1.0], MISSED)
    low, high = (logit(np.clip(edge, 1e-6, 1 - 1e-6)) for edge in (max(reached, default=0.0), missed))
    # A small collection may hold nothing that is hard, or nothing that is easy.
    return float(np.clip(expit((low + high) / 2), 0.2, 0.95))


def _mask_edge(seen: Sequence[Seen]) -> float:
    """Return the cut at which masks fit the exact ones best, on validation photos; 0.5 without any."""
    exact = [(s.found.mask, mask) for s in seen if s.photo.kind == "dog" and (mask := s.photo.mask()) is not None]
    if not exact:
        return 0.5
    fits = {edge: np.mean([mask_iou(with_edge(soft, edge), mask) for soft, mask in exact]) for edge in EDGES}
    return max(fits, key=lambda edge: fits[edge])
