from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn

from dogmood.lab.explain.gradients import METHODS, explain
from dogmood.lab.nets import registry
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import CellHead
from dogmood.lab.nets.registry import NETWORKS, NetSpec, build, spec

SIDE = 32


class Corner(nn.Module):
    """Features of a bright upper left corner: everything else is left out."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros(SIDE, SIDE)
        mask[:8, :8] = 1
        return nn.functional.avg_pool2d(pixels * mask, 4)


@pytest.fixture
def corner(monkeypatch: pytest.MonkeyPatch) -> EmotionNet:
    """A network of the lab whose first logit is the corner's brightness, and the others nothing."""
    head = CellHead(1, 5)
    with torch.no_grad():
        head.read.weight.zero_()
        head.read.bias.zero_()
        head.read.weight[0] = 100.0
    known = NetSpec(lambda classes, _: net, 1, SIDE, SIDE)
    net = EmotionNet(Corner(), head, 5).eval()
    monkeypatch.setitem(registry.NETWORKS, "corner", known)
    return net


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_corner_that_counts(corner: EmotionNet, method: str) -> None:
    pixels = 0.8 + 0.2 * torch.rand(1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found = explain(corner, "corner", pixels, 0, method)
    assert found.shape == (SIDE, SIDE)
    assert found.max() == pytest.approx(1)
    rows, columns = np.unravel_index(found.argmax(), found.shape)
    assert rows < 12
    assert columns < 12
    in_corner = found[:12, :12].mean()
    assert in_corner > 3 * found[16:, 16:].mean()


def test_hidden_brightness_speaks_against_what_the_logit_wants(corner: EmotionNet) -> None:
    dark = explain(corner, "corner", torch.zeros(1, SIDE, SIDE), 0, "occlusion")
    assert not dark.any()  # hiding the dark corner by grey raises the logit


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_asked_and_is_left_as_it_was(network: str) -> None:
    torch.manual_seed(0)
    net = build(network, 5, pretrained=False).eval()
    pixels = torch.rand(spec(network).channels, spec(network).side, spec(network).side)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    for method in ("class activation", "Grad-CAM", "HiResCAM", "gradients"):
        found = explain(net, network, pixels, 2, method)
        assert found.shape == (spec(network).side,) * 2
        assert 0 <= found.min() <= found.max() <= 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert not net.training
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("network", ["efficientnet_lite0", "dinov2_s"])
def test_where_cells_are_averaged_hirescam_is_the_map_of_the_forward_pass(network: str) -> None:
    torch.manual_seed(1)
    net = build(network, 5, pretrained=False).eval()
    pixels = torch.rand(3, spec(network).side, spec(network).side)
    forward, backward = (explain(net, network, pixels, 1, method) for method in ("class activation", "HiResCAM"))
    assert backward == pytest.approx(forward, abs=1e-3)


def test_grad_cam_looks_at_layers_that_still_know_where() -> None:
    for network, cells in {"vggnet": 10, "mbcc_cnn": 6, "shallow_cnn": 18, "efficientnet_lite0": 7}.items():
        net, seen = build(network, 5, pretrained=False).eval(), []
        spec(network).target(net).register_forward_hook(lambda _, __, out, seen=seen: seen.append(out.shape[2:]))
        side = spec(network).side
        net(torch.rand(1, spec(network).channels, side, side))
        assert seen == [(cells, cells)]


def test_nothing_here_needs_torchvision() -> None:
    import captum.attr  # noqa: F401

    assert not any(name.split(".")[0] == "torchvision" for name in sys.modules)
