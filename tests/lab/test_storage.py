from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from dogmood.bundle import Network
from dogmood.lab.export import as_stored, check_parity, to_onnx
from dogmood.lab.storage import STORAGES, rounded, store


class Small(nn.Module):
    """A convolution, a matrix product without a bias and one with it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3)
        self.plain = nn.Linear(32, 64, bias=False)
        self.last = nn.Linear(64, 16)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor]:
        cells = self.conv(pixels).flatten(2).transpose(1, 2)
        return (self.last(torch.relu(self.plain(cells))),)


@pytest.fixture(scope="module")
def net() -> Small:
    torch.manual_seed(0)
    return Small().eval()


def exported(net: nn.Module, storage: str) -> bytes:
    return to_onnx(net, torch.rand(2, 3, 12, 12), ("out",), {0: "n"}, storage)


@pytest.mark.parametrize("storage", STORAGES)
def test_the_file_answers_as_the_rounded_network_does(net: Small, storage: str) -> None:
    batch = torch.rand(3, 3, 12, 12)
    assert check_parity(exported(net, storage), as_stored(net, storage), [batch], 1e-5) < 1e-5


def test_smaller_forms_make_smaller_files(net: Small) -> None:
    weights = sum(p.numel() for p in net.parameters())
    full, half, int8 = (len(exported(net, storage)) for storage in STORAGES)
    assert full - half == pytest.approx(2 * weights, abs=1500)
    assert full - int8 > 2.2 * weights


def test_each_output_channel_has_its_own_scale(net: Small) -> None:
    small = rounded(Small(), "full")
    with torch.no_grad():
        small.plain.weight[0] *= 1e-3
    expected = small.plain.weight.detach().clone()
    error = (rounded(small, "int8").plain.weight - expected).abs()  # type: ignore[union-attr, operator]
    assert error[0].max() <= expected[0].abs().max() / 127
    assert error[1:].max() <= expected.abs().max() / 127


def test_no_large_weight_stays_in_float32(net: Small) -> None:
    graph = onnx.load_from_string(exported(net, "int8")).graph
    large = [t for t in graph.initializer if numpy_helper.to_array(t).size >= 256]
    assert {t.data_type for t in large} == {onnx.TensorProto.INT8}


@pytest.mark.parametrize("before", STORAGES)
@pytest.mark.parametrize("after", STORAGES)
def test_a_stored_graph_can_be_stored_anew(net: Small, before: str, after: str) -> None:
    batch = np.random.default_rng(0).random((2, 3, 12, 12), np.float32)
    expected = Network(exported(net, "full"))(batch)[0]
    found = Network(store(exported(net, before), after))(batch)[0]
    assert found == pytest.approx(expected, abs=0.02)


def test_storing_twice_changes_nothing_more(net: Small) -> None:
    once = exported(net, "int8")
    batch = np.random.default_rng(0).random((2, 3, 12, 12), np.float32)
    assert Network(store(once, "int8"))(batch)[0] == pytest.approx(Network(once)(batch)[0], abs=1e-6)
