"""What is fitted on validation photos alone: biases of the emotions, temperature, threshold, conformal sets."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from dogmood.doubt import STEEPEST, Doubt, softmax, tempered
from dogmood.emotions import EMOTIONS

COVERAGE = 0.7
"""The share of validation photos whose reading shall be sure."""

CONFIDENCE = 0.9
"""How often, for each emotion, the conformal set shall hold the truth."""

SPREAD = 0.5
"""How far from 0 the bias of an emotion is expected to lie, over the temperature.
Chosen by cross-validation on valid, its faces and its dogs before other backdrops
(docs/RESULTS.md, "What was tried"): between 0.4 and 0.7 it makes no difference."""

_LOGS = (-3.0, 3.0)
"""Between which the temperature's logarithm is sought."""

Floats = NDArray[np.float64]


def fit_doubt(logits: Floats, labels: NDArray[np.intp], emotions: Sequence[str] = EMOTIONS) -> Doubt:
    """Fit all of it.

    Args:
        logits: ``(n, emotions)`` of validation photos.
        labels: ``(n,)`` indices into ``emotions``.
        emotions: those that the network tells apart.
    """
    temperature, slope = fit_temperature(logits, labels)
    probabilities = softmax(tempered(logits, temperature, slope))
    best = np.sort(probabilities.max(axis=1))
    sure = float(best[math.floor((1 - COVERAGE) * len(best))])
    truth = probabilities[np.arange(len(labels)), labels]
    least = {emotion: _least(truth[labels == i]) for i, emotion in enumerate(emotions)}
    return Doubt(temperature, sure, float((best >= sure).mean()), least, slope)


def fit_temperature(logits: Floats, labels: NDArray[np.intp]) -> tuple[float, float]:
    """Return the temperature and the slope (`dogmood.doubt.tempered`) with the least log loss.

    The slope is 0, unless with it the photos are likelier by more than a further number to
    choose makes them likelier by itself (Akaike 1974).
    """

    def loss(chosen: Floats) -> float:
        probabilities = softmax(tempered(logits, math.exp(chosen[0]), chosen[1]))
        return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).sum())

    plain = minimize_scalar(
        lambda log_temperature: loss(np.array([log_temperature, 0.0])), bounds=_LOGS, method="bounded"
    )
    sloped = minimize(loss, [plain.x, 0.0], method="Nelder-Mead", bounds=[_LOGS, (-STEEPEST, STEEPEST)])
    if plain.fun - sloped.fun <= 1:
        return math.exp(float(plain.x)), 0.0
    return math.exp(float(sloped.x[0])), float(sloped.x[1])


def fit_bias(logits: Floats, labels: NDArray[np.intp]) -> Floats:
    """Return what to add to each emotion's logit so that none is said too often or too seldom.

    Temperature and biases with the least log loss together (bias-corrected temperature
    scaling, Alexandari et al. 2020, arXiv:1901.06852), but drawn to 0 as if each bias, in
    units of the temperature, were normal with the deviation `SPREAD`: rare emotions have a
    few dozen validation photos.

    Args:
        logits: ``(n, emotions)`` of validation photos.
        labels: ``(n,)`` indices into the columns.

    Returns:
        ``(emotions,)`` in logits, 0 on average.
    """
    rows = np.arange(len(labels))

    def loss(chosen: Floats) -> float:
        probabilities = softmax(logits / math.exp(chosen[0]) + chosen[1:])
        fit = -np.log(probabilities[rows, labels] + 1e-12).sum()
        return float(fit + (chosen[1:] ** 2).sum() / (2 * SPREAD**2))

    start = np.zeros(1 + logits.shape[1])
    start[0] = math.log(fit_temperature(logits, labels)[0])
    bounds = [_LOGS] + [(None, None)] * logits.shape[1]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    bias: Floats = math.exp(float(found[0])) * (found[1:] - found[1:].mean())
    return bias


def _least(truth: Floats) -> float:
    """Return the probability that the truth reaches in 90 % of photos.

    The split-conformal quantile: of n calibration photos, the one whose rank is
    ceil((n + 1) * 0.9) counted from the top.  With fewer than nine photos there is no such
    rank, and the emotion stays possible whatever is said of it.
    """
    rank = math.ceil((len(truth) + 1) * CONFIDENCE)
    if rank > len(truth):
        return 0.0
    return float(np.sort(truth)[::-1][rank - 1])
