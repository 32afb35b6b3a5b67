"""The emotion classifiers: a backbone over several views of a dog, and maps for free."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from dogmood.emotions import EMOTIONS
from dogmood.lab import LabError
from dogmood.lab.nets.dinov2 import DEPTH, PATCH, WIDTH, DinoV2, dinov2_small
from dogmood.lab.nets.lite import CHANNELS
from dogmood.lab.nets.pretrained import LiteTop, Normalise


class Answer(NamedTuple):
    """Logits ``(n, 5)`` and what every cell adds to them ``(n, views, 5, rows, columns)``."""

    logits: Tensor
    maps: Tensor


class Cells(Protocol):
    """A backbone that turns RGB ``(n, 3, side, side)`` in [0, 1] into cells ``(n, channels, rows, columns)``."""

    channels: int

    def stages(self) -> list[list[Parameter]]:
        """Return the parameters of its blocks, from the picture upwards."""
        ...


class LiteCells(LiteTop):
    """EfficientNet-Lite0; a cell is 32 x 32 pixels."""

    channels = CHANNELS[-1]

    def stages(self) -> list[list[Parameter]]:
        """Return the parameters of its blocks, from the picture upwards."""
        parts = [self.backbone.stem, *self.backbone.blocks, self.backbone.summit]
        return [list(part.parameters()) for part in parts]


class DinoCells(nn.Module):
    """DINOv2 ViT-S/14; a cell is 14 x 14 pixels."""

    channels = WIDTH

    def __init__(self, pretrained: bool) -> None:
        super().__init__()
        self.normalise = Normalise()
        self.backbone = dinov2_small() if pretrained else DinoV2()

    def forward(self, pixels: Tensor) -> Tensor:
        """Return ``(n, 384, side / 14, side / 14)``: the patch tokens.

        The class token is left out, so that all that speaks for an emotion has a
        place in the picture.
        """
        tokens = self.backbone(self.normalise(pixels))[:, 1:]
        rows, columns = pixels.shape[-2] // PATCH, pixels.shape[-1] // PATCH
        cells: Tensor = tokens.transpose(1, 2).reshape(-1, WIDTH, rows, columns)
        return cells

    def stages(self) -> list[list[Parameter]]:
        """Return the parameters of its blocks, from the picture upwards."""
        net = self.backbone
        first = [*net.project.parameters(), net.class_token, net.class_position, net.positions]
        blocks = [list(block.parameters()) for block in net.blocks]
        blocks[DEPTH - 1] += list(net.norm.parameters())
        return [first, *blocks]


BACKBONES: dict[str, Callable[[bool], nn.Module]] = {"efficientnet_lite0": LiteCells, "dinov2_s": DinoCells}
"""The backbones that a classifier can have; each takes whether to start from others' weights."""


class ViewHead(nn.Module):
    """Adds up what each cell of each view says.

    A 1 x 1 convolution a view, averaged over cells and summed over views, gives the
    logits; the same numbers before averaging are class-activation maps (Zhou et al.
    2016, arXiv:1512.04150), exact parts of the sum.

    Args:
        channels: of the cells.
        views: how many there are.
        dropout: the share of channels that are dropped in training.
    """

    def __init__(self, channels: int, views: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = dropout
        self.bias = nn.Parameter(torch.zeros(len(EMOTIONS)))
        self.readers = nn.ModuleList(nn.Conv2d(channels, len(EMOTIONS), 1, bias=False) for _ in range(views))
        for reader in self.readers:
            # Cells of some backbones are large numbers: start from no opinion.
            nn.init.zeros_(cast(nn.Conv2d, reader).weight)

    def forward(self, tops: Tensor) -> Answer:
        """Take maps ``(n, views, channels, rows, columns)``."""
        cells = tops.shape[-2] * tops.shape[-1]
        if self.training:
            tops = functional.dropout2d(tops.flatten(0, 1), self.dropout, training=True).reshape(tops.shape)
        maps = torch.stack([reader(tops[:, i]) for i, reader in enumerate(self.readers)], dim=1) / cells
        return Answer(maps.sum(dim=(1, 3, 4)) + self.bias, maps)


class ClassifierNet(nn.Module):
    """Takes ``(n, views, 3, side, side)`` RGB in [0, 1].

    Args:
        backbone: one of `BACKBONES`, shared by all views.
        views: how many cuts of a dog it is shown.
        pretrained: start from ImageNet's or DINOv2's weights.

    Raises:
        LabError: the backbone is unknown, or the package with its weights is absent.
    """

    def __init__(self, backbone: str, views: int, pretrained: bool = True) -> None:
        super().__init__()
        if backbone not in BACKBONES:
            raise LabError(f"There is no backbone {backbone!r}: choose from {', '.join(BACKBONES)}.")
        self.backbone = BACKBONES[backbone](pretrained)
        self.head = ViewHead(cast(Cells, self.backbone).channels, views)

    def forward(self, pixels: Tensor) -> Answer:
        """Return logits and maps of ``(n, views, 3, side, side)``."""
        tops: Tensor = self.backbone(pixels.flatten(0, 1))
        answer: Answer = self.head(tops.reshape(*pixels.shape[:2], *tops.shape[1:]))
        return answer

    def stages(self) -> list[list[Parameter]]:
        """Return the backbone's parameters by block, from the picture upwards."""
        return cast(Cells, self.backbone).stages()
