"""Doubt, fitted on validation photos alone: temperature, threshold, conformal sets."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from dogmood.doubt import Doubt, softmax
from dogmood.emotions import EMOTIONS

COVERAGE = 0.7
"""The share of validation photos whose reading shall be sure."""

CONFIDENCE = 0.9
"""How often, for each emotion, the conformal set shall hold the truth."""

Floats = NDArray[np.float64]


def fit_doubt(logits: Floats, labels: NDArray[np.intp], emotions: Sequence[str] = EMOTIONS) -> Doubt:
    """Fit all of it.

    Args:
        logits: ``(n, emotions)`` of validation photos.
        labels: ``(n,)`` indices into ``emotions``.
        emotions: those that the network tells apart.
    """
    temperature = fit_temperature(logits, labels)
    probabilities = softmax(logits / temperature)
    best = np.sort(probabilities.max(axis=1))
    sure = float(best[math.floor((1 - COVERAGE) * len(best))])
    truth = probabilities[np.arange(len(labels)), labels]
    least = {emotion: _least(truth[labels == i]) for i, emotion in enumerate(emotions)}
    return Doubt(temperature, sure, float((best >= sure).mean()), least)


def fit_temperature(logits: Floats, labels: NDArray[np.intp]) -> float:
    """Return the temperature with the least log loss (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        probabilities = softmax(logits / math.exp(log_temperature))
        return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())

    return math.exp(float(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _least(truth: Floats) -> float:
    """Return the probability that the truth reaches in 90 % of photos.

    The split-conformal quantile: of n calibration photos, the one whose rank is
    ceil((n + 1) * 0.9) counted from the top.  An emotion without a photo stays possible.
    """
    if not len(truth):
        return 0.0
    rank = min(len(truth), math.ceil((len(truth) + 1) * CONFIDENCE))
    return float(np.sort(truth)[::-1][rank - 1])
