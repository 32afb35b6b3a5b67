"""How sure a reading is: temperature, threshold, and the set of what is still possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dogmood.emotions import EMOTIONS

STEEPEST = 0.75
"""The largest slope, up or down, that a calibration may have.

Logits that grow by a factor must not make a reading less decided: for that the slope times
their variance under their own softmax must stay above -1, and that variance is 1.25 at most
for five logits, less for fewer.
"""


@dataclass(frozen=True)
class Doubt:
    """What was fitted on validation photos so that a probability means what it says.

    Attributes:
        temperature: divides the logits (Guo et al. 2017, arXiv:1706.04599).
        sure: a reading whose best probability is at least this is sure.
        coverage: the share of validation photos that are sure.
        least: for each emotion, the probability from which on it is still possible:
            class-conditional conformal prediction at 90 % (Vovk 2012).
            It names all emotions that the model tells apart.
        slope: how the temperature changes with the entropy of the logits: see `tempered`.
    """

    temperature: float
    sure: float
    coverage: float
    least: Mapping[str, float]
    slope: float = 0.0


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
    values = probabilities_of(logits, doubt, emotions)
    return judge_probabilities({emotion: float(p) for emotion, p in zip(emotions, values, strict=True)}, doubt)


def judge_probabilities(probabilities: Mapping[str, float], doubt: Doubt) -> Verdict:
    """Say what follows from calibrated probabilities that sum to 1."""
    best = max(probabilities, key=probabilities.__getitem__)
    likeliest_first = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
    # The likeliest always belongs to the set: a person would not understand one
    # without it, and a larger set holds the truth no less often.
    possible = tuple(e for e in likeliest_first if e == best or probabilities[e] >= doubt.least[e])
    return Verdict(dict(probabilities), best, probabilities[best] >= doubt.sure, possible)


def probabilities_of(
    logits: NDArray[np.float32], doubt: Doubt, emotions: Sequence[str] = EMOTIONS
) -> NDArray[np.float64]:
    """Return calibrated probabilities ``(..., len(emotions))``.

    Args:
        logits: ``(..., 5)`` in the order of `EMOTIONS`.
        doubt: the model's calibration.
        emotions: those to choose from, all of them among those that the model tells apart.
    """
    told = [emotion for emotion in EMOTIONS if emotion in doubt.least]
    known = logits[..., [EMOTIONS.index(emotion) for emotion in told]].astype(np.float64)
    chosen = [told.index(emotion) for emotion in emotions]
    return softmax(tempered(known, doubt.temperature, doubt.slope)[..., chosen])


def tempered(logits: NDArray[np.float64], temperature: float, slope: float = 0.0) -> NDArray[np.float64]:
    """Divide logits by a temperature that may depend on how undecided they are.

    It is ``temperature * exp(slope * entropy)``, with the entropy of their softmax in nats:
    a network may be too sure where it is decided and not sure enough where it is not.
    After Balanya et al. 2022 (arXiv:2208.00461), in whose form probabilities fall again
    where logits grow; here they do not, see `STEEPEST`.

    Args:
        logits: ``(..., k)`` of all emotions that are told apart.
        temperature: where the entropy is 0; above 0.
        slope: 0 is one temperature for all.
    """
    if slope == 0:
        return logits / temperature
    shares = softmax(logits)
    entropy = -(shares * np.log(shares + 1e-12)).sum(axis=-1, keepdims=True)
    result: NDArray[np.float64] = logits / (temperature * np.exp(slope * entropy))
    return result


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return result
