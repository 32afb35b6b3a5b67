"""Classifiers whose truth is known: they look at one corner of the photo and at nothing else."""

from __future__ import annotations

import numpy as np

from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import Doubt
from dogmood.emotions import EMOTIONS
from dogmood.finder import FoundDog
from dogmood.lab.explain.probe import Probe
from dogmood.lab.explain.subject import Subject

SIDE = 64
CELLS = 8
CORNER = 16
"""Pixels of the photo's upper left corner that count."""

SETTINGS = ClassifierSettings(side=SIDE, views=(View("photo", 1.0),))
DOG = FoundDog((0.0, 0.0, 64.0, 64.0), (0.0, 0.0, 32.0, 32.0), 1.0)


def photo(side: int = SIDE) -> np.ndarray:
    """Noise, bright in the corner that counts."""
    pixels = np.random.default_rng(0).integers(0, 120, (side, side, 3), dtype=np.uint8)
    pixels[:CORNER, :CORNER] = 250
    return pixels


def corner_network(batch: np.ndarray) -> list[np.ndarray]:
    """Anger is the corner's brightness above the filling's; the maps say so exactly."""
    n = len(batch)
    cells = batch[:, 0].mean(axis=1).reshape(n, CELLS, SIDE // CELLS, CELLS, SIDE // CELLS).mean(axis=(2, 4))
    parts = np.zeros((n, 1, len(EMOTIONS), CELLS, CELLS), np.float32)
    in_corner = CORNER * CELLS // SIDE
    parts[:, 0, 0, :in_corner, :in_corner] = cells[:, :in_corner, :in_corner] - 0.45
    return [parts.sum(axis=(1, 3, 4)), parts]


def lying_network(batch: np.ndarray) -> list[np.ndarray]:
    """The same answers; the maps name the opposite corner."""
    logits, maps = corner_network(batch)
    return [logits, maps[..., ::-1, ::-1].copy()]


def subject_of(network: object, emotions: tuple[str, ...] = EMOTIONS) -> Subject:
    probe = Probe(network, SETTINGS, photo(), DOG)  # type: ignore[arg-type]
    logits, evidence = probe.evidence()
    mask = np.ones((16, 16), np.float32)
    emotion = EMOTIONS[int(logits.argmax())]
    return Subject(probe, mask, logits, emotion, evidence, emotions, Doubt(1.0, 0.5, 0.7, dict.fromkeys(emotions, 0.1)))
