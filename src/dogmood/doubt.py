"""How sure a reading is: temperature, threshold, and the set of what is still possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dogmood.emotions import EMOTIONS


@dataclass(frozen=True)
class Doubt:
    """What was fitted on validation photos so that a probability means what it says.

    Attributes:
        temperature: divides the logits (Guo et al. 2017, arXiv:1706.04599).
        sure: a reading whose best probability is at least this is sure.
        coverage: the share of validation photos that are sure.
        least: for each emotion, the probability from which on it is still possible:
            class-conditional conformal prediction at 90 % (Vovk 2012).
    """

    temperature: float
    sure: float
    coverage: float
    least: Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """Calibrated probabilities of the chosen emotions and what follows from them."""

    probabilities: dict[str, float]
    emotion: str
    sure: bool
    possible: tuple[str, ...]


def judge(logits: NDArray[np.float32], doubt: Doubt, emotions: Sequence[str] = EMOTIONS) -> Verdict:
    """Turn logits into a verdict.

    Args:
        logits: ``(5,)`` in the order of `EMOTIONS`.
        doubt: the model's calibration.
        emotions: those to choose from; the probabilities of the others are dropped
            and the rest renormalised to sum to 1.
    """
    columns = [EMOTIONS.index(emotion) for emotion in emotions]
    values = softmax(logits[columns].astype(np.float64) / doubt.temperature)
    return judge_probabilities({emotion: float(p) for emotion, p in zip(emotions, values, strict=True)}, doubt)


def judge_probabilities(probabilities: Mapping[str, float], doubt: Doubt) -> Verdict:
    """Say what follows from calibrated probabilities that sum to 1."""
    best = max(probabilities, key=probabilities.__getitem__)
    likeliest_first = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
    # The likeliest always belongs to the set: a person would not understand one
    # without it, and a larger set holds the truth no less often.
    possible = tuple(e for e in likeliest_first if e == best or probabilities[e] >= doubt.least[e])
    return Verdict(dict(probabilities), best, probabilities[best] >= doubt.sure, possible)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return result
