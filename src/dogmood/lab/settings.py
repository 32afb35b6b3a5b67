"""Every parameter of a training run, in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from dogmood.emotions import EMOTIONS, parse_emotions
from dogmood.errors import UsageError
from dogmood.lab import LabError
from dogmood.lab.cuts import CUTS
from dogmood.lab.nets.registry import spec
from dogmood.lab.optimizers import OPTIMIZERS, default_rate
from dogmood.lab.schedulers import SCHEDULERS

AUGMENTATIONS = ("protocol", "none")
PRECISIONS = ("mixed", "full")

SEEDS = 2**64
"""How many seeds torch tells apart."""


@dataclass(frozen=True)
class RunSettings:
    """What a run depends on; the defaults are the protocol's.

    Attributes:
        data: the folder that holds ``manifest.csv`` and ``photos/``.
        network: one of `dogmood.lab.nets.registry.NETWORKS`.
        emotions: those to tell apart; photos of others are left out.
        cut: what of a photo the network is shown: ``head``, ``body`` or ``photo``.
        pretrained: start from ImageNet's or DINOv2's weights where there are any.
        optimizer: one of `OPTIMIZERS`.
        rate: the learning rate to start from.
        momentum: of the optimizers that have one.
        weight_decay: of every parameter.
        scheduler: one of `SCHEDULERS`.
        epochs: passes over the training photos.
        batch: photos a step, over all devices.
        augmentation: ``protocol`` (section 4.1 of Khaireddin & Chen 2021) or ``none``.
        crops: ten crops of each augmented photo in training, or one at a random place.
        seed: of weights, order and augmentation.
        devices: how many processes share each batch.
        precision: ``mixed`` (float16 on a GPU, bfloat16 on a processor, where it took
            1.7 to 8 times less time) or ``full`` (float32); gradients are scaled in both.
    """

    data: str
    network: str = "vggnet"
    emotions: tuple[str, ...] = EMOTIONS
    cut: str = "head"
    pretrained: bool = True
    optimizer: str = "sgd_nesterov"
    rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    scheduler: str = "reduce_on_plateau"
    epochs: int = 300
    batch: int = 64
    augmentation: str = "protocol"
    crops: int = 10
    seed: int = 0
    devices: int = 1
    precision: str = "mixed"

    def __post_init__(self) -> None:
        """Refuse what no run can be made of."""
        spec(self.network)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("scheduler", self.scheduler, SCHEDULERS)
        _one_of("cut", self.cut, CUTS)
        _one_of("augmentation", self.augmentation, AUGMENTATIONS)
        _one_of("precision", self.precision, PRECISIONS)
        if self.crops not in (1, 10):
            raise LabError(f"--crops is {self.crops}; it can be 1 or 10.")
        for name in ("epochs", "batch", "devices", "rate"):
            if not getattr(self, name) > 0:
                raise LabError(f"--{name} is {getattr(self, name)}; it must be above 0.")
        if not math.isfinite(self.rate):
            raise LabError(f"--rate is {self.rate}; it must be a number above 0, such as 0.01.")
        if not 0 <= self.seed < SEEDS:
            raise LabError(f"--seed is {self.seed}; it must be from 0 to {SEEDS - 1}.")
        for name in ("momentum", "weight_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise LabError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be from 0 to below 1.")
        if self.batch % self.devices:
            raise LabError(f"--batch {self.batch} cannot be shared evenly by {self.devices} devices; change one.")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return asdict(self)


def settings_of(given: Mapping[str, Any], base: RunSettings | None = None) -> RunSettings:
    """Make settings from those that are given; the rest are ``base``'s or the defaults.

    An optimizer that is named without a rate, and is not ``base``'s, starts from its own; where neither is named,
    pretrained weights that the protocol's would undo are trained on as they want to be
    (`dogmood.lab.nets.registry.NetSpec`), also where ``base`` has another network.

    Args:
        given: values by name; None stands for "not given".
        base: the settings of an earlier run.

    Raises:
        LabError: a name or a value is not known, or there is no data.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    unknown = chosen.keys() - {field.name for field in fields(RunSettings)}
    if unknown:
        raise LabError(f"A run has no setting {', '.join(sorted(unknown))}.")
    if "emotions" in chosen:
        try:
            chosen["emotions"] = parse_emotions(chosen["emotions"])
        except UsageError as error:
            raise LabError(str(error)) from None
    if "optimizer" in chosen and "rate" not in chosen and (base is None or chosen["optimizer"] != base.optimizer):
        chosen["rate"] = default_rate(chosen["optimizer"])
    if base is None and "data" not in chosen:
        raise LabError("Say where the labelled photos are: --data FOLDER.")
    if not chosen.keys() & {"optimizer", "rate"} and "network" in chosen:
        chosen |= _fine_tuning(chosen, base)
    if base is not None:
        return replace(base, **chosen)
    try:
        return RunSettings(**chosen)
    except TypeError as error:
        raise LabError(f"These are no settings of a run: {error}.") from None


def _fine_tuning(chosen: Mapping[str, Any], base: RunSettings | None) -> dict[str, Any]:
    """Return the optimizer and the rate that a network which is named brings with it, if any."""
    if base is not None and chosen["network"] == base.network:
        return {}
    pretrained = chosen.get("pretrained", base is None or base.pretrained)
    wanted = spec(chosen["network"]).fine_tuning if pretrained else None
    if wanted is None and base is not None and spec(base.network).fine_tuning == (base.optimizer, base.rate):
        # They were the earlier network's own, and not the user's.
        wanted = RunSettings.optimizer, RunSettings.rate
    return {} if wanted is None else {"optimizer": wanted[0], "rate": wanted[1]}


def _one_of(what: str, name: str, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    if name not in known:
        raise LabError(f"There is no {what} {name!r}: choose from {', '.join(known)}.")
