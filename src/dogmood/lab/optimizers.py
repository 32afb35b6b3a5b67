"""The optimizers of the protocol, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from dogmood.lab import LabError

Make = Callable[[Sequence[Parameter], float, float, float], Optimizer]


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer and the learning rate it starts from unless told otherwise.

    Attributes:
        make: takes parameters, rate, momentum and weight decay.
        rate: 0.01 for the SGD family (Khaireddin & Chen 2021); for the others,
            which that paper gives no rate for, the one of their authors as torch has it.
    """

    make: Make
    rate: float


def _sgd(nesterov: bool) -> Make:
    def make(parameters: Sequence[Parameter], rate: float, momentum: float, decay: float) -> Optimizer:
        fused = _fused(parameters)
        optimizer = torch.optim.SGD(
            parameters,
            rate,
            momentum=momentum,
            weight_decay=decay,
            nesterov=nesterov and momentum > 0,
            fused=fused,
        )
        if fused and momentum > 0:
            # Where gradients overflow in the first step, torch goes on from momentum that it never set.
            for parameter in parameters:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer

    return make


def _adam(kind: type[torch.optim.Adam] | type[torch.optim.AdamW], amsgrad: bool = False) -> Make:
    # Adam's first beta is what momentum is to SGD.
    return lambda parameters, rate, momentum, decay: kind(
        parameters,
        rate,
        betas=(momentum, 0.999),
        weight_decay=decay,
        amsgrad=amsgrad,
        fused=_fused(parameters),
    )


def _fused(parameters: Sequence[Parameter]) -> bool | None:
    """Say whether a step shall be one call, which need not wait for the GPU to hear whether gradients overflowed."""
    return True if all(parameter.is_cuda for parameter in parameters) else None


OPTIMIZERS: dict[str, OptimizerSpec] = {
    "adadelta": OptimizerSpec(lambda p, rate, _, decay: torch.optim.Adadelta(p, rate, weight_decay=decay), 1.0),
    "adagrad": OptimizerSpec(lambda p, rate, _, decay: torch.optim.Adagrad(p, rate, weight_decay=decay), 0.01),
    "adam": OptimizerSpec(_adam(torch.optim.Adam), 1e-3),
    "amsgrad": OptimizerSpec(_adam(torch.optim.Adam, amsgrad=True), 1e-3),
    "adamw": OptimizerSpec(_adam(torch.optim.AdamW), 1e-3),
    "asgd": OptimizerSpec(lambda p, rate, _, decay: torch.optim.ASGD(p, rate, weight_decay=decay), 0.01),
    "sgd": OptimizerSpec(_sgd(nesterov=False), 0.01),
    "sgd_nesterov": OptimizerSpec(_sgd(nesterov=True), 0.01),
}
"""Adadelta, Adagrad and ASGD know no momentum; they take the weight decay alone."""


def default_rate(name: str) -> float:
    """Return the learning rate that an optimizer starts from unless told otherwise."""
    return _spec(name).rate


def make_optimizer(
    name: str, parameters: Iterable[Parameter], rate: float, momentum: float, weight_decay: float
) -> Optimizer:
    """Make an optimizer.

    Args:
        name: one of `OPTIMIZERS`.
        parameters: what it shall move.
        rate: the learning rate.
        momentum: for those that have one.
        weight_decay: of every parameter.

    Raises:
        LabError: the name is unknown.
    """
    return _spec(name).make(list(parameters), rate, momentum, weight_decay)


def _spec(name: str) -> OptimizerSpec:
    if name not in OPTIMIZERS:
        raise LabError(f"There is no optimizer {name!r}: choose from {', '.join(OPTIMIZERS)}.")
    return OPTIMIZERS[name]
