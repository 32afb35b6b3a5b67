"""Heads that say which cell of the picture spoke for which emotion.

`CellHead` averages what each cell says: its maps are class-activation maps (Zhou et
al. 2016, arXiv:1512.04150) and sum up to the logits but for the bias.

`DenseHead` is a small perceptron over all cells: its maps are HiResCAM (Draelos &
Carin 2020, arXiv:2011.08891), each feature times the gradient of the logit with
respect to it.  The gradient is written out as products of the layers' matrices, so
that it is part of the forward pass and goes into an exported graph.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Answer(NamedTuple):
    """Logits ``(n, classes)`` and maps ``(n, classes, rows, columns)``: what every cell adds to them."""

    logits: Tensor
    maps: Tensor


class CellHead(nn.Module):
    """A linear reading of every cell, averaged.

    Args:
        channels: of the features.
        classes: how many logits.
        dropout: share of channels that are dropped in training, before averaging.
    """

    def __init__(self, channels: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.read = nn.Linear(channels, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of ``(n, channels, rows, columns)``."""
        logits: Tensor = self.read(self.drop(features.mean(dim=(2, 3))))
        return logits

    def answer(self, features: Tensor) -> Answer:
        """Return logits and maps; the maps sum up to the logits but for the bias."""
        cells = features.shape[2] * features.shape[3]
        maps = torch.einsum("nchw,kc->nkhw", features, self.read.weight) / cells
        return Answer(self(features), maps)


class DenseHead(nn.Module):
    """A perceptron over all cells.

    Args:
        layers: `nn.Linear`, `nn.ReLU`, `nn.ELU`, `nn.BatchNorm1d` and `nn.Dropout`,
            ending in the linear layer that gives the logits.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of ``(n, channels, rows, columns)``."""
        x = features.flatten(1)
        for layer in self.layers:
            x = layer(x)
        return x

    def answer(self, features: Tensor) -> Answer:
        """Return logits and maps, in evaluation mode."""
        inputs = []
        x = features.flatten(1)
        for layer in self.layers:
            inputs.append(x)
            x = layer(x)
        slope = torch.eye(x.shape[1], device=x.device).expand(x.shape[0], -1, -1)
        for layer, entered in zip(reversed(self.layers), reversed(inputs), strict=True):
            slope = _slope_before(layer, entered, slope)
        parts = slope.reshape(slope.shape[0], slope.shape[1], *features.shape[1:]) * features[:, None]
        return Answer(x, parts.sum(dim=2))


def _slope_before(layer: nn.Module, entered: Tensor, slope: Tensor) -> Tensor:
    """Carry the logits' gradient ``(n, classes, width)`` back through one layer."""
    if isinstance(layer, nn.Linear):
        return slope @ layer.weight
    if isinstance(layer, nn.ReLU):
        return slope * (entered > 0).to(slope.dtype)[:, None]
    if isinstance(layer, nn.ELU):
        return slope * torch.where(entered > 0, torch.ones_like(entered), layer.alpha * entered.exp())[:, None]
    if isinstance(layer, nn.BatchNorm1d):
        assert layer.running_var is not None
        return slope * (layer.weight / (layer.running_var + layer.eps).sqrt())
    assert isinstance(layer, nn.Dropout), layer
    return slope
