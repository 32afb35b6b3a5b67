"""The networks are as large as their sources report."""

from __future__ import annotations

import pytest
from torch import nn

from dogmood.lab.nets.mbcc import Branches, Residual, Tree
from dogmood.lab.nets.registry import build


def trained_numbers(net: nn.Module) -> int:
    return sum(weights.numel() for weights in net.parameters() if weights.requires_grad)


def running_numbers(net: nn.Module) -> int:
    return sum(held.numel() for name, held in net.named_buffers() if name.endswith(("running_mean", "running_var")))


def convolutions(net: nn.Module) -> list[nn.Conv2d]:
    return [module for module in net.modules() if isinstance(module, nn.Conv2d)]


@pytest.mark.parametrize(
    ("name", "classes", "count"),
    [("vggnet", 7, 29_890_759), ("vggnet", 4, 29_878_468), ("mbcc_cnn", 7, 4_375_327)],
)
def test_trainable_parameters(name: str, classes: int, count: int) -> None:
    assert trained_numbers(build(name, classes)) == count


def test_the_sequential_cnn_s_count_takes_in_running_statistics() -> None:
    net = build("sequential_cnn", 4)
    # Keras, in which it was written, counts the batch norms' means and variances.
    assert trained_numbers(net) + running_numbers(net) == 2_628_420
    assert running_numbers(net) == 576


def test_mbcc_has_40_convolutions_of_which_each_stage_s_one_is_1_by_1() -> None:
    kernels = [conv.kernel_size for conv in convolutions(build("mbcc_cnn", 7))]
    assert len(kernels) == 40
    assert kernels.count((1, 1)) == 2
    assert kernels.count((3, 3)) == 38
    assert [len(convolutions(block)) for block in (Residual(8, 12), Branches(8), Tree(8))] == [4, 7, 8]


def test_mbcc_starts_from_he_uniform_and_no_bias() -> None:
    for conv in convolutions(build("mbcc_cnn", 7)):
        most = (6 / (conv.in_channels * conv.kernel_size[0] ** 2)) ** 0.5
        assert 0.9 * most < float(conv.weight.detach().abs().max()) <= most
        assert conv.bias is not None
        assert not conv.bias.any()


@pytest.mark.parametrize("name", ["efficientnet_lite0", "dinov2_s"])
def test_all_of_a_pretrained_network_is_trained(name: str) -> None:
    assert all(weights.requires_grad for weights in build(name, 5, pretrained=False).parameters())
