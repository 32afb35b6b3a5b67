"""Photos that show how a run reads: its worst mistakes, and where it looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from dogmood.classifier import Evidence
from dogmood.crop import Square
from dogmood.doubt import softmax, tempered
from dogmood.emotions import EMOTIONS
from dogmood.lab.augment import middle_crop
from dogmood.lab.cuts import CUTS, Cutting, cut_photos
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.explain.gradients import explain
from dogmood.lab.nets.registry import spec
from dogmood.lab.run import Run
from dogmood.photo import Pixels, open_photo
from dogmood.saliency import saliency_maps

MISTAKES = 12
OTHERS = ("Grad-CAM", "gradients", "occlusion")


@dataclass(frozen=True, eq=False)
class Mistake:
    """A photo that was read wrongly.

    Attributes:
        name: the photo's file name.
        truth: its label.
        said: what it was read as.
        probability: with which calibrated probability.
        pixels: ``(h, w, 3)`` uint8 RGB.
    """

    name: str
    truth: str
    said: str
    probability: float
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Sample:
    """A photo that was read rightly, and the map of its emotion.

    Attributes:
        name: the photo's file name.
        emotion: its label, and what it was read as.
        probability: with which calibrated probability.
        pixels: ``(side, side, 3)`` uint8 RGB: what the network was shown, in colour.
        saliency: ``(side, side)`` float32 in [0, 1].
        others: what other methods say (`dogmood.lab.explain.gradients`), likewise.
    """

    name: str
    emotion: str
    probability: float
    pixels: Pixels
    saliency: NDArray[np.float32]
    others: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def mistakes_of(run: Run, photos: Sequence[LabelledPhoto], figures: Mapping[str, Any]) -> list[Mistake]:
    """Return the wrong readings with the highest probability.

    Args:
        run: a tested run.
        photos: its test photos.
        figures: what ``test.json`` holds.
    """
    emotions = run.settings.emotions
    probabilities = _probabilities(figures)
    labels = np.array([emotions.index(photo.label) for photo in photos])
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    worst = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:MISTAKES]
    return [
        Mistake(
            photos[i].name,
            photos[i].label,
            emotions[int(probabilities[i].argmax())],
            float(probabilities[i].max()),
            open_photo(photos[i].path).pixels,
        )
        for i in worst.tolist()
    ]


def samples_of(run: Run, photos: Sequence[LabelledPhoto], figures: Mapping[str, Any], cache: Path) -> list[Sample]:
    """Return the most confident right reading of each emotion, with its map."""
    probabilities = _probabilities(figures)
    chosen = []
    for i, emotion in enumerate(run.settings.emotions):
        right = [k for k, p in enumerate(photos) if p.label == emotion and probabilities[k].argmax() == i]
        if right:
            chosen.append((max(right, key=lambda k: probabilities[k, i]), i))
    if not chosen:
        return []
    known = spec(run.settings.network)
    some = [photos[k] for k, _ in chosen]
    shown, colour = (
        middle_crop(
            torch.from_numpy(np.array(cut_photos(some, Cutting(CUTS[run.settings.cut], known.frame, channels), cache))),
            known.side,
        )
        for channels in (known.channels, 3)
    )
    net = run.network()
    with torch.inference_mode():
        maps = net.answer(shown.float() / 255).maps.numpy()
    return [
        Sample(
            photos[k].name,
            run.settings.emotions[i],
            float(probabilities[k, i]),
            colour[row].permute(1, 2, 0).numpy(),
            _as_read(maps[row], run.settings.emotions, run.settings.emotions[i], known.side),
            {method: explain(net, run.settings.network, shown[row].float() / 255, i, method) for method in OTHERS},
        )
        for row, (k, i) in enumerate(chosen)
    ]


def _probabilities(figures: Mapping[str, Any]) -> NDArray[np.float64]:
    logits = np.array([photo["logits"] for photo in figures["photos"]], np.float64)
    return softmax(tempered(logits, figures["temperature"], figures.get("slope", 0.0)))


def _as_read(maps: NDArray[np.float32], emotions: Sequence[str], emotion: str, side: int) -> NDArray[np.float32]:
    """Return the map that a reading of the crop would show: ``(side, side)`` in [0, 1].

    Args:
        maps: ``(emotions, rows, columns)``: what each cell adds to each logit.
        emotions: those that the network tells apart, in order.
        emotion: whose map.
        side: of the crop in pixels.
    """
    every = np.zeros((1, len(EMOTIONS), *maps.shape[1:]), np.float32)
    every[0, [EMOTIONS.index(name) for name in emotions]] = maps
    shown = saliency_maps([Evidence((Square(0, 0, side),), every)], side, side, emotions)[emotion]
    return np.asarray(Image.fromarray(shown).resize((side, side), Image.Resampling.BICUBIC)).clip(0, 1)
