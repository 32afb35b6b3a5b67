"""Networks that begin with what others have learnt, for colour pictures of 224 pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dogmood.lab.nets.dinov2 import WIDTH, DinoV2, dinov2_small
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import CellHead
from dogmood.lab.nets.lite import CHANNELS, LiteBackbone

SIDE = 224
DROPOUT = 0.2
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""RGB statistics of ImageNet, which DINOv2 wants its pixels normalised with."""


class LiteTop(nn.Module):
    """EfficientNet-Lite0's last feature maps: ``(n, 1280, 7, 7)`` of 224 pixels."""

    def __init__(self, pretrained: bool) -> None:
        super().__init__()
        self.backbone = LiteBackbone(pretrained)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the maps of RGB ``(n, 3, side, side)`` in [0, 1]."""
        top: Tensor = self.backbone(pixels).top
        return top


class Normalise(nn.Module):
    """Brings RGB in [0, 1] to ImageNet's mean and deviation."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Take and return ``(n, 3, h, w)``."""
        return (pixels - self.mean) / self.deviation


class DinoTokens(nn.Module):
    """DINOv2's patch tokens beside the class token: ``(n, 768, 16, 16)`` of 224 pixels."""

    def __init__(self, pretrained: bool) -> None:
        super().__init__()
        self.backbone = dinov2_small() if pretrained else _fresh_dinov2()
        self.normalise = Normalise()

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the tokens of RGB ``(n, 3, side, side)`` in [0, 1].

        The class token stands in every cell, so that a head which averages over
        cells reads both.  What it says is shared out as the last block's attention
        is: it stands more strongly in the cells that it looks at, and its mean over
        all cells is the token itself.
        """
        tokens, attention = self.backbone.look(self.normalise(pixels))
        rows, columns = pixels.shape[-2] // 14, pixels.shape[-1] // 14
        patches = tokens[:, 1:].transpose(1, 2).reshape(-1, WIDTH, rows, columns)
        # Only maps depend on how it is shared out: no gradient goes that way.
        shares = attention.detach().reshape(-1, 1, rows, columns) * (rows * columns)
        first = tokens[:, 0, :, None, None] * shares
        return torch.cat([patches, first], dim=1)


def efficientnet_lite0(classes: int, pretrained: bool) -> EmotionNet:
    """Return EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946) with ImageNet's weights."""
    return EmotionNet(LiteTop(pretrained), CellHead(CHANNELS[-1], classes, DROPOUT), classes)


def dinov2_s(classes: int, pretrained: bool) -> EmotionNet:
    """Return DINOv2 ViT-S/14 (Oquab et al. 2023, arXiv:2304.07193) with its own weights."""
    return EmotionNet(DinoTokens(pretrained), CellHead(2 * WIDTH, classes), classes)


def _fresh_dinov2() -> DinoV2:
    net = DinoV2()
    for token in (net.class_token, net.class_position, net.positions):
        nn.init.trunc_normal_(token, std=0.02)
    return net
