from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import CellHead, DenseHead
from dogmood.lab.nets.registry import build, spec

HEADS: dict[str, Callable[[], list[nn.Module]]] = {
    "linear": lambda: [nn.Linear(48, 3)],
    "relu": lambda: [nn.Linear(48, 9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 3)],
    "elu and batch norm": lambda: [nn.Linear(48, 9), nn.ELU(), nn.BatchNorm1d(9), nn.Linear(9, 3)],
    "elu of another alpha": lambda: [nn.Linear(48, 9), nn.ELU(0.3), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 3)],
}
DENSE = ("shallow_cnn", "sequential_cnn", "vggnet")
AVERAGED = ("mbcc_cnn", "efficientnet_lite0", "dinov2_s")


def stirred(net: EmotionNet) -> EmotionNet:
    """Batch norms of the head far from where they start, in evaluation mode."""
    for module in net.head.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.weight, -1.5, 1.5)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.2, 3.0)
    return net.eval()


def hirescam(net: EmotionNet, pixels: torch.Tensor) -> torch.Tensor:
    """HiResCAM by its definition, with torch's own gradients."""
    features = net.features(pixels).detach().requires_grad_()
    logits = net.head(features)
    maps = []
    for i in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, i].sum(), features, retain_graph=True)
        maps.append((features * gradient).sum(dim=1))
    return torch.stack(maps, dim=1).detach()


def assert_hirescam(net: EmotionNet, pixels: torch.Tensor) -> None:
    expected = hirescam(net, pixels)
    with torch.inference_mode():
        maps = net.answer(pixels).maps
    assert maps.shape == expected.shape
    assert float((maps - expected).abs().max() / expected.abs().max()) < 1e-4


@pytest.mark.parametrize("head", HEADS)
def test_maps_of_every_kind_of_dense_head_are_hirescam(head: str) -> None:
    torch.manual_seed(0)
    net = EmotionNet(nn.Conv2d(1, 4, 3), DenseHead(*HEADS[head]()), 3)
    assert_hirescam(stirred(net), torch.rand(3, 1, 5, 6))


@pytest.mark.parametrize("name", DENSE)
def test_maps_of_networks_that_end_in_dense_layers_are_hirescam(name: str) -> None:
    torch.manual_seed(0)
    net = stirred(build(name, 5))
    assert_hirescam(net, torch.rand(2, 1, spec(name).side, spec(name).side))


@pytest.mark.parametrize("name", AVERAGED)
def test_maps_of_networks_that_average_sum_to_logits_minus_bias(name: str) -> None:
    torch.manual_seed(0)
    net = build(name, 5, pretrained=False).eval()
    assert isinstance(net.head, CellHead)
    nn.init.normal_(net.head.read.bias)
    with torch.inference_mode():
        logits, maps = net.answer(torch.rand(2, spec(name).channels, spec(name).side, spec(name).side))
    assert torch.allclose(maps.sum(dim=(2, 3)), logits - net.head.read.bias, rtol=1e-4, atol=1e-4)


def test_a_cell_that_alone_holds_what_a_class_looks_for_has_all_of_its_map() -> None:
    net = EmotionNet(nn.Identity(), CellHead(2, 2), 2).eval()
    assert isinstance(net.head, CellHead)
    with torch.inference_mode():
        net.head.read.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        pixels = torch.zeros(1, 2, 3, 4)
        pixels[0, 1, 2, 0] = 6.0
        maps = net.answer(pixels).maps
    expected = torch.zeros(1, 2, 3, 4)
    expected[0, 1, 2, 0] = 6.0 / 12
    assert torch.equal(maps, expected)


def test_activations_too_large_for_an_exponent_have_maps() -> None:
    head = DenseHead(nn.Linear(4, 2), nn.ELU(), nn.Linear(2, 2))
    with torch.inference_mode():
        maps = EmotionNet(nn.Identity(), head, 2).eval().answer(torch.full((1, 1, 2, 2), 1e4)).maps
    assert maps.isfinite().all()
