"""The emotion classifier: one backbone over several views of a dog, and maps for free."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dogmood.emotions import EMOTIONS
from dogmood.lab.nets.lite import CHANNELS, LiteBackbone

TRUNK_BLOCKS = 8
"""Blocks that stay as ImageNet made them; the eight after them are trained."""


class Answer(NamedTuple):
    """Logits ``(n, 5)`` and what every cell adds to them ``(n, views, 5, rows, columns)``."""

    logits: Tensor
    maps: Tensor


class ViewHead(nn.Module):
    """Adds up what each cell of each view says.

    A 1 x 1 convolution a view, averaged over cells and summed over views, gives the
    logits; the same numbers before averaging are class-activation maps (Zhou et al.
    2016, arXiv:1512.04150), exact parts of the sum.
    """

    def __init__(self, views: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(len(EMOTIONS)))
        self.readers = nn.ModuleList(nn.Conv2d(CHANNELS[-1], len(EMOTIONS), 1, bias=False) for _ in range(views))

    def forward(self, tops: Tensor) -> Answer:
        """Take maps ``(n, views, 1280, rows, columns)``."""
        cells = tops.shape[-2] * tops.shape[-1]
        maps = torch.stack([reader(tops[:, i]) for i, reader in enumerate(self.readers)], dim=1) / cells
        return Answer(maps.sum(dim=(1, 3, 4)) + self.bias, maps)


class ClassifierNet(nn.Module):
    """Takes ``(n, views, 3, side, side)`` RGB in [0, 1], side a multiple of 32."""

    def __init__(self, views: int, pretrained: bool = True) -> None:
        super().__init__()
        self.backbone = LiteBackbone(pretrained)
        self.head = ViewHead(views)

    def forward(self, pixels: Tensor) -> Answer:
        """Return logits and maps of ``(n, views, 3, side, side)``."""
        trunk = self.trunk(pixels.flatten(0, 1))
        return self.from_trunk(trunk.reshape(*pixels.shape[:2], *trunk.shape[1:]))

    def trunk(self, pixels: Tensor) -> Tensor:
        """Return what the first blocks make of ``(n, 3, side, side)``."""
        x = self.backbone.stem(self.backbone.scale(pixels))
        for block in self.backbone.blocks[:TRUNK_BLOCKS]:
            x = block(x)
        return x  # type: ignore[no-any-return]

    def from_trunk(self, maps: Tensor) -> Answer:
        """Go on from the trunk's maps ``(n, views, channels, rows, columns)``."""
        x = maps.flatten(0, 1)
        for block in self.backbone.blocks[TRUNK_BLOCKS:]:
            x = block(x)
        tops: Tensor = self.backbone.summit(x)
        answer: Answer = self.head(tops.reshape(*maps.shape[:2], *tops.shape[1:]))
        return answer

    def trained(self) -> list[nn.Module]:
        """Return the parts that learn."""
        return [*self.backbone.blocks[TRUNK_BLOCKS:], self.backbone.summit, self.head]
