"""How good the emotion probabilities are, each figure with its 95 % interval."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from dogmood.doubt import Doubt, judge
from dogmood.emotions import EMOTIONS
from dogmood.lab.intervals import bootstrap

BINS = 15


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's answers to labelled photos.

    Attributes:
        logits: ``(n, 5)`` float32, not yet calibrated.
        labels: ``(n,)`` indices into `EMOTIONS`.
        groups: ``(n,)`` what is resampled together.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.intp]
    groups: Sequence[Hashable]


def measure_emotions(given: Predictions, doubt: Doubt, emotions: Sequence[str] = EMOTIONS) -> dict[str, Any]:
    """Return the figures over the photos that show one of ``emotions``.

    Args:
        given: the model's answers.
        doubt: its calibration.
        emotions: those to choose from; photos of others are left out.
    """
    kept = np.flatnonzero([EMOTIONS[label] in emotions for label in given.labels])
    verdicts = [judge(given.logits[i], doubt, emotions) for i in kept]
    probabilities = np.array([list(v.probabilities.values()) for v in verdicts])
    labels = np.array([emotions.index(EMOTIONS[given.labels[i]]) for i in kept])
    groups = [given.groups[i] for i in kept.tolist()]
    guesses = probabilities.argmax(axis=1)
    hit = guesses == labels
    sure = np.array([v.sure for v in verdicts])
    in_set = np.array([emotions[label] in v.possible for label, v in zip(labels, verdicts, strict=True)])

    shown = [(i, emotion) for i, emotion in enumerate(emotions) if (labels == i).any()]

    def f1(drawn: NDArray[np.intp]) -> float:
        return macro_f1(labels[drawn], guesses[drawn])

    def accuracy(drawn: NDArray[np.intp]) -> float:
        return float(hit[drawn].mean())

    def recall(drawn: NDArray[np.intp], label: int) -> float:
        of_label = labels[drawn] == label
        return float(hit[drawn][of_label].mean()) if of_label.any() else float("nan")

    def ece(drawn: NDArray[np.intp]) -> float:
        return calibration_error(probabilities[drawn].max(axis=1), hit[drawn])

    def brier(drawn: NDArray[np.intp]) -> float:
        truth = np.eye(len(emotions))[labels[drawn]]
        return float(((probabilities[drawn] - truth) ** 2).sum(axis=1).mean())

    def with_interval(statistic: Any) -> dict[str, Any]:
        return {"value": statistic(np.arange(len(kept))), "interval": bootstrap(statistic, groups)}

    return {
        "n": len(kept),
        "accuracy": with_interval(accuracy),
        "macro F1": with_interval(f1),
        "recall": {
            emotion: {
                "n": int((labels == i).sum()),
                **with_interval(lambda drawn, i=i: recall(drawn, i)),
            }
            for i, emotion in shown
        },
        "ECE": with_interval(ece),
        "Brier": with_interval(brier),
        "confusion": confusion_matrix(labels, guesses, labels=range(len(emotions))).tolist(),
        "sure": {"coverage": float(sure.mean()), "accuracy": float(hit[sure].mean()) if sure.any() else None},
        "sets": {
            "coverage": {e: float(in_set[labels == i].mean()) for i, e in shown},
            "mean size": float(np.mean([len(v.possible) for v in verdicts])),
        },
    }


def macro_f1(labels: NDArray[np.intp], guesses: NDArray[np.intp]) -> float:
    """Return the mean F1 of the classes that are among labels or guesses, as scikit-learn has it.

    Its own takes a millisecond, most of it checks; an interval needs it a thousand times.
    """
    classes = int(max(labels.max(), guesses.max())) + 1
    counts = np.bincount(labels * classes + guesses, minlength=classes**2).reshape(classes, classes)
    named = counts.sum(axis=0) + counts.sum(axis=1)
    return float((2 * counts.diagonal()[named > 0] / named[named > 0]).mean())


def calibration_error(confidence: NDArray[np.float64], hit: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over 15 equal bins (Guo et al. 2017)."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[bins == b].mean() - hit[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))
