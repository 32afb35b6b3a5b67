"""Answers, maps and all, are the same in ONNX for any number of pictures."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dogmood.bundle import Network
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.nets import dinov2, vgg
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import Answer
from dogmood.lab.nets.registry import NETWORKS, build, spec


class Answering(nn.Module):
    """What is exported: a module whose forward answers."""

    def __init__(self, net: EmotionNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> Answer:
        return self.net.answer(pixels)


@pytest.mark.parametrize("name", NETWORKS)
def test_answers_export(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The same layers, but fewer or narrower: the whole networks take long.
    monkeypatch.setattr(dinov2, "DEPTH", 2)
    monkeypatch.setattr(vgg, "CHANNELS", (8, 8, 16, 16))
    monkeypatch.setattr(vgg, "WIDTH", 32)
    torch.manual_seed(0)
    answering = Answering(build(name, 5, pretrained=False)).eval()
    picture = (spec(name).channels, spec(name).side, spec(name).side)
    graph = to_onnx(answering, torch.rand(2, *picture), ("logits", "maps"), {0: "n"})
    batches = [torch.rand(n, *picture) for n in (1, 3)]
    assert check_parity(graph, as_stored(answering), batches, most=1e-3) < 1e-3
    logits, maps = Network(graph)(batches[1].numpy())
    assert logits.shape == (3, 5) == maps.shape[:2]
