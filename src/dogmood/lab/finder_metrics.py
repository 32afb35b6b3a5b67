"""How well dogs are found, on photos the finder has not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import iou
from dogmood.finder import FinderSettings, Found
from dogmood.lab.data.pets import PetPhoto
from dogmood.lab.intervals import Interval, bootstrap, mean_with_interval

Measure = dict[str, float | Interval | int]
Look = Callable[[PetPhoto], Found]

MASK_CUT = 0.5
FALSE_ALARMS = 0.01


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo, and what the finder says when it is made to name a dog."""

    photo: PetPhoto
    found: Found


def eager(settings: FinderSettings) -> FinderSettings:
    """Return settings under which every photo yields its likeliest dog."""
    return replace(settings, presence=0.0, head=0.0)


def measure_finder(seen: Sequence[Seen], presence: float) -> dict[str, Measure]:
    """Return the finder's figures with 95 % intervals.

    Args:
        seen: what the finder said of each photo under `eager` settings.
        presence: the threshold that the model ships with.
    """
    dogs = [s for s in seen if s.photo.kind == "dog"]
    negatives = {
        "no dog": [s for s in seen if s.photo.kind == "none"],
        "cats": [s for s in seen if s.photo.kind == "cat"],
        "other": [s for s in seen if s.photo.kind == "other"],
    }
    figures: dict[str, Measure] = {}
    for name, others in negatives.items():
        if others:
            figures[f"presence against {name}"] = _presence(dogs, others, presence)
    masks = [s for s in dogs if s.photo.mask_path]
    heads = [s for s in dogs if s.photo.head]
    figures["mask IoU"] = _mean([mask_iou(s.found.mask, _exact(s.photo)) for s in masks])
    figures["head-box IoU"] = _mean([_head_iou(s) for s in heads])
    return figures


def mask_iou(mask: NDArray[np.float32], exact: NDArray[np.uint8]) -> float:
    """Return the IoU of a soft mask, cut at 0.5, with an exact one (edge pixels left out)."""
    from PIL import Image

    height, width = exact.shape
    fine = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR))
    ours, truly, counted = fine >= MASK_CUT, exact == 1, exact != 3
    union = ((ours | truly) & counted).sum()
    return float((ours & truly & counted).sum() / union) if union else 0.0


def _presence(dogs: Sequence[Seen], others: Sequence[Seen], threshold: float) -> Measure:
    scores = np.array([s.found.presence for s in (*dogs, *others)])
    is_dog = np.arange(len(scores)) < len(dogs)

    # The AUROC is the share of pairs in which the dog has the higher score, half of those where both
    # have the same (Hanley & McNeil 1982): compared once, counted in every draw.
    margins = scores[is_dog][:, None] - scores[~is_dog]
    wins = (margins > 0) + 0.5 * (margins == 0)

    def auroc(drawn: NDArray[np.intp]) -> float:
        times = np.bincount(drawn, minlength=len(scores))
        pairs = times[is_dog].sum() * times[~is_dog].sum()
        return float(times[is_dog] @ wins @ times[~is_dog] / pairs) if pairs else float("nan")

    everything = np.arange(len(scores))
    # The strictest threshold that lets through at most 1 % of the others.
    rest = np.sort(scores[~is_dog])[::-1]
    strict = rest[int(FALSE_ALARMS * len(rest))]
    return {
        "n dogs": len(dogs),
        "n others": len(others),
        "AUROC": auroc(everything),
        "AUROC interval": bootstrap(auroc, list(everything)),
        "recall at 1 % false alarms": float((scores[is_dog] > strict).mean()),
        "recall": float((scores[is_dog] >= threshold).mean()),
        "false alarms": float((scores[~is_dog] >= threshold).mean()),
    }


def _mean(values: Sequence[float]) -> Measure:
    figure = mean_with_interval(values, range(len(values)))
    return {"n": figure["n"], "mean": figure["value"], "interval": figure["interval"]}


def _exact(photo: PetPhoto) -> NDArray[np.uint8]:
    mask = photo.mask()
    assert mask is not None
    return mask


def _head_iou(seen: Seen) -> float:
    """Return the IoU of the true head with the nearest head found; 0 where none is."""
    assert seen.photo.head is not None
    return max((iou(seen.photo.head, dog.head) for dog in seen.found.dogs if dog.head), default=0.0)
