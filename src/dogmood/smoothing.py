"""Probabilities over time: what one frame says weighs less than what the last second says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dogmood.tracks import KEPT_SECONDS

SECONDS = 1.0
"""The time constant of smoothing unless another is asked for."""

_LEAST = 1e-6
"""A probability counts as at least this, so that no single frame rules anything out."""


class Smoother:
    """An exponential moving average of log-probabilities for each dog.

    A frame that comes ``t`` seconds after the one before weighs ``1 - exp(-t / seconds)``,
    so the result does not depend on how densely frames are sampled.  Averaging logarithms
    is averaging the network's logits: what the frames agree on stays.

    Args:
        seconds: the time constant; 0 leaves probabilities as they are.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._last: dict[int, tuple[float, dict[str, float]]] = {}

    def update(self, track: int, time: float, probabilities: Mapping[str, float]) -> dict[str, float]:
        """Return a dog's smoothed probabilities; they sum to 1.

        Args:
            track: the dog's number.
            time: the frame's, in seconds.
            probabilities: what the frame says.
        """
        if self._seconds <= 0:
            return dict(probabilities)
        logs = {name: math.log(max(p, _LEAST)) for name, p in probabilities.items()}
        if track in self._last:
            before, old = self._last[track]
            weight = 1 - math.exp(-(time - before) / self._seconds)
            logs = {name: old[name] + weight * (log - old[name]) for name, log in logs.items()}
        self._last[track] = (time, logs)
        self._forget(time)
        total = math.fsum(math.exp(log) for log in logs.values())
        return {name: math.exp(log) / total for name, log in logs.items()}

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs, as JSON can hold it."""
        return {str(track): [time, logs] for track, (time, logs) in self._last.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self._last = {int(track): (time, dict(logs)) for track, (time, logs) in state.items()}

    def _forget(self, time: float) -> None:
        for track in [track for track, (last, _) in self._last.items() if time - last > KEPT_SECONDS]:
            del self._last[track]
