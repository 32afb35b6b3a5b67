"""Everything that is reported of a run: how often it is right, and whether it knows when."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogmood.doubt import softmax, tempered
from dogmood.emotions import EMOTIONS
from dogmood.lab.calibrate import fit_doubt
from dogmood.lab.emotion_metrics import BINS, Predictions, calibration_error, measure_emotions
from dogmood.lab.intervals import Figure, bootstrap, mean_with_interval

OTHER_SPLITS = {"valid": "accuracy, validation", "train": "accuracy, training, one crop"}
"""How tables name the accuracies that stand beside those of test photos."""

NEVER = -1e4
"""The logit of an emotion that a run does not tell apart."""

Floats = NDArray[np.float64]


def evaluate(valid: Predictions, test: Predictions, emotions: tuple[str, ...]) -> dict[str, Any]:
    """Return a run's figures on its test photos, as JSON holds them.

    Args:
        valid: logits ``(n, emotions)`` of the validation photos, on which alone the
            temperature is fitted; labels index into ``emotions``.
        test: the same of the test photos.
        emotions: those that the run tells apart.

    Returns:
        What `measure_emotions` measures, with precision and F1 of each emotion, the
        ECE and the log loss before and after temperature, the bins of both
        reliability diagrams, and the risk-coverage curve with the area under it
        (Geifman & El-Yaniv 2017, arXiv:1705.08500).  What the test photos do not say of
        an emotion, such as the recall of one that none of them shows, is None, and so
        is its interval.
    """
    doubt = fit_doubt(valid.logits.astype(np.float64), valid.labels, emotions)
    figures = measure_emotions(_widened(test, emotions), doubt, emotions)
    logits = test.logits.astype(np.float64)
    before, after = softmax(logits), softmax(tempered(logits, doubt.temperature, doubt.slope))
    hit = before.argmax(axis=1) == test.labels
    groups = list(test.groups)

    def ece(drawn: NDArray[np.intp]) -> float:
        return calibration_error(before[drawn].max(axis=1), hit[drawn])

    return {
        **figures,
        "emotions": list(emotions),
        "by emotion": _by_emotion(before.argmax(axis=1), test, emotions),
        "temperature": doubt.temperature,
        "slope": doubt.slope,
        "ECE before": {"value": ece(np.arange(len(hit))), "interval": bootstrap(ece, groups)},
        "log loss": {"before": _log_loss(before, test.labels), "after": _log_loss(after, test.labels)},
        "reliability": {"before": reliability(before, hit), "after": reliability(after, hit)},
        "risk-coverage": risk_coverage(after.max(axis=1), hit),
    }


def accuracy(given: Predictions) -> Figure:
    """Return how often the likeliest emotion is the label's."""
    return mean_with_interval(given.logits.argmax(axis=1) == given.labels, list(given.groups))


def reliability(probabilities: Floats, hit: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Return, for each of 15 equal bins that is not empty, mean confidence, accuracy and n."""
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == b].mean()),
            "accuracy": float(hit[bins == b].mean()),
            "n": int((bins == b).sum()),
        }
        for b in np.unique(bins)
    ]


def risk_coverage(confidence: Floats, hit: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the accuracy over the most confident share of photos, for every share.

    Returns:
        ``coverage`` and ``accuracy``, lists of equal length, and ``area``, the mean
        risk (1 - accuracy) over all coverages.
    """
    # Equal confidences enter together: no order among them is meant.
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(hit[order])
    count = np.arange(1, len(hit) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)
    accuracy = right[last] / count[last]
    weights = np.diff(np.concatenate([[0], count[last]])) / len(hit)
    return {
        "coverage": (count[last] / len(hit)).tolist(),
        "accuracy": accuracy.tolist(),
        "area": float(((1 - accuracy) * weights).sum()),
    }


def _by_emotion(guesses: NDArray[np.intp], test: Predictions, emotions: tuple[str, ...]) -> dict[str, Any]:
    groups = list(test.groups)

    def scores(i: int) -> dict[str, Any]:
        said, true = guesses == i, test.labels == i
        both = said & true

        # A draw that neither shows nor names the emotion says nothing about it. Counted as 0,
        # such draws would widen the intervals of rare emotions down to 0.
        def precision(drawn: NDArray[np.intp]) -> float:
            of_none = 0.0 if true[drawn].any() else np.nan  # never said, though it was there
            return _share(both[drawn].sum(), said[drawn].sum(), of_none)

        def recall(drawn: NDArray[np.intp]) -> float:
            return _share(both[drawn].sum(), true[drawn].sum(), np.nan)

        def f1(drawn: NDArray[np.intp]) -> float:
            return _share(2 * both[drawn].sum(), said[drawn].sum() + true[drawn].sum(), np.nan)

        named = {"precision": precision, "recall": recall, "F1": f1}
        return {name: _with_interval(score, groups) for name, score in named.items()}

    return {emotion: {"n": int((test.labels == i).sum()), **scores(i)} for i, emotion in enumerate(emotions)}


def _with_interval(score: Callable[[NDArray[np.intp]], float], groups: Sequence[Hashable]) -> dict[str, Any]:
    value = score(np.arange(len(groups)))
    if np.isnan(value):
        return {"value": None, "interval": None}
    return {"value": value, "interval": bootstrap(score, groups)}


def _share(part: Any, whole: Any, of_none: float) -> float:
    return float(part / whole) if whole else of_none


def _widened(given: Predictions, emotions: tuple[str, ...]) -> Predictions:
    """Put a run's logits and labels in the order of all five emotions."""
    places = np.array([EMOTIONS.index(emotion) for emotion in emotions])
    logits = np.full((len(given.logits), len(EMOTIONS)), NEVER, np.float32)
    logits[:, places] = given.logits
    return replace(given, logits=logits, labels=places[given.labels])


def _log_loss(probabilities: Floats, labels: NDArray[np.intp]) -> float:
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())
