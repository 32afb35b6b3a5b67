"""Where a training stands, in one safetensors file, so that it can go on bit for bit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from dogmood.lab import LabError
from dogmood.lab.run import EpochMetrics, load_tensors, save_tensors
from dogmood.lab.schedulers import Schedule


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        rows: the metrics of each finished epoch.
        best_epoch: the one with the best validation accuracy, the first of equals.
    """

    rows: list[EpochMetrics] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def epochs(self) -> int:
        """How many epochs are finished."""
        return len(self.rows)

    @property
    def best(self) -> EpochMetrics:
        """The metrics of the best epoch."""
        return self.rows[self.best_epoch - 1]

    def add(self, row: EpochMetrics) -> bool:
        """Take the metrics of a further epoch and say whether it is the best."""
        self.rows.append(row)
        if self.best_epoch and row.valid_accuracy <= self.best.valid_accuracy:
            return False
        self.best_epoch = row.epoch
        return True


@dataclass
class Training:
    """Everything that changes while a network is trained.

    Random numbers need not be kept: they are drawn anew from the seed and the
    epoch, and a run goes on from the end of an epoch.
    """

    net: nn.Module
    optimizer: Optimizer
    schedule: Schedule
    scaler: GradScaler
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        """Write all of it.

        Raises:
            UsageError: the file cannot be written; an older one is still there.
        """
        tensors = {f"network.{name}": tensor for name, tensor in self.net.state_dict().items()}
        optimizer = self.optimizer.state_dict()
        plain: dict[str, dict[str, Any]] = {}
        for number, state in optimizer["state"].items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer.{number}.{name}"] = value
                else:
                    plain.setdefault(str(number), {})[name] = value
        facts = {
            "optimizer": {"groups": optimizer["param_groups"], "plain": plain},
            "schedule": self.schedule.state(),
            "scaler": self.scaler.state_dict(),
            "rows": [asdict(row) for row in self.progress.rows],
            "best_epoch": self.progress.best_epoch,
        }
        save_tensors(path, tensors, facts)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote.

        Raises:
            LabError: the file is absent, damaged, or another network's.
        """
        tensors, facts = load_tensors(path)
        state: dict[int, dict[str, Any]] = {}
        weights = {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "network":
                weights[rest] = tensor
            else:
                number, _, key = rest.partition(".")
                state.setdefault(int(number), {})[key] = tensor
        try:
            for number, plain in facts["optimizer"]["plain"].items():
                state.setdefault(int(number), {}).update(plain)
            self.net.load_state_dict(weights)
            self.optimizer.load_state_dict({"state": state, "param_groups": facts["optimizer"]["groups"]})
            _lay_out(self.optimizer)
            self.schedule.load(facts["schedule"])
            self.scaler.load_state_dict(facts["scaler"])
            self.progress = Progress([EpochMetrics(**row) for row in facts["rows"]], facts["best_epoch"])
        except (KeyError, TypeError, ValueError, RuntimeError):
            raise LabError(f"{path} does not fit this run's settings.") from None


def _lay_out(optimizer: Optimizer) -> None:
    """Lay what an optimizer remembers out in memory as its parameters are: a fused step wants both alike."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def new_scaler(device: torch.device) -> GradScaler:
    """Return what scales losses up and gradients down, so that small ones survive float16.

    Used on the processor as well, where it changes nothing but the path: scaling by
    powers of two is exact.
    """
    return GradScaler(device.type)
