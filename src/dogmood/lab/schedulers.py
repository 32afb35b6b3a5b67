"""The learning-rate schedules of the protocol, by name.

Numbers are those of Khaireddin & Chen 2021 (arXiv:2105.03588, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from dogmood.lab import LabError

Make = Callable[[Optimizer, int, int], LRScheduler]

LEAST_RATE = 1e-6
PERIOD = 10
"""Epochs of the first cosine before a warm restart."""

SCHEDULERS: dict[str, Make] = {
    "constant": lambda optimizer, epochs, steps: ConstantLR(optimizer, factor=1.0, total_iters=0),
    "step": lambda optimizer, epochs, steps: StepLR(optimizer, step_size=20, gamma=0.5),
    "reduce_on_plateau": lambda optimizer, epochs, steps: ReduceLROnPlateau(
        optimizer, mode="max", factor=0.75, patience=5
    ),
    "cosine": lambda optimizer, epochs, steps: CosineAnnealingLR(optimizer, epochs, LEAST_RATE),
    "cosine_warm_restarts": lambda optimizer, epochs, steps: CosineAnnealingWarmRestarts(
        optimizer, PERIOD, eta_min=LEAST_RATE
    ),
    "one_cycle": lambda optimizer, epochs, steps: OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=epochs * steps,
        # Momentum stays as it was set: only the rate is what varies here.
        cycle_momentum=False,
    ),
}
"""Each takes an optimizer, the epochs of the run, and the steps of an epoch."""


class Schedule:
    """Moves the learning rate, told of every step and of every epoch's validation.

    Args:
        name: one of `SCHEDULERS`.
        optimizer: whose rate it moves.
        epochs: how many the run has.
        steps: how many steps an epoch has.

    Raises:
        LabError: the name is unknown.
    """

    def __init__(self, name: str, optimizer: Optimizer, epochs: int, steps: int) -> None:
        if name not in SCHEDULERS:
            raise LabError(f"There is no scheduler {name!r}: choose from {', '.join(SCHEDULERS)}.")
        self._scheduler = SCHEDULERS[name](optimizer, epochs, steps)

    def after_step(self) -> None:
        """Move on by one step of the optimizer."""
        if isinstance(self._scheduler, OneCycleLR):
            self._scheduler.step()

    def after_epoch(self, valid_accuracy: float) -> None:
        """Move on by one epoch.

        Args:
            valid_accuracy: what a plateau is judged by, in [0, 1].
        """
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step(valid_accuracy)
        elif not isinstance(self._scheduler, OneCycleLR):
            self._scheduler.step()

    def state(self) -> dict[str, Any]:
        """Return where it stands, as JSON can hold it."""
        # The bound method of OneCycleLR's curve cannot be written down; it is made anew.
        return {k: v for k, v in self._scheduler.state_dict().items() if not callable(v)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where `state` stood."""
        self._scheduler.load_state_dict(state)
