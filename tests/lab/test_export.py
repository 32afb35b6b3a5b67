from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from dogmood.bundle import Network
from dogmood.lab import LabError
from dogmood.lab.export import as_stored, check_parity, fold_batch_norms, stored_weights, to_onnx, with_weights
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.nets.finder import FinderHead, FinderNet
from dogmood.lab.nets.lite import LiteBackbone


@pytest.fixture(scope="module")
def finder() -> FinderNet:
    torch.manual_seed(0)
    return FinderNet(LiteBackbone(), FinderHead()).eval()


@pytest.fixture(scope="module")
def graph(finder: FinderNet) -> bytes:
    example = torch.rand(1, 3, 96, 128)
    return to_onnx(finder, example, ("presence", "mask", "body", "head"), {0: "n", 2: "height", 3: "width"})


@pytest.mark.parametrize("shape", [(1, 3, 96, 128), (2, 3, 64, 64), (1, 3, 384, 32)])
def test_the_finder_runs_at_any_size_and_agrees_with_torch(
    finder: FinderNet, graph: bytes, shape: tuple[int, ...]
) -> None:
    pixels = torch.rand(*shape)
    assert check_parity(graph, as_stored(finder), [pixels], most=1e-3) < 1e-3
    presence, mask, body, head = Network(graph)(pixels.numpy())
    n, rows, columns = shape[0], shape[2] // 16, shape[3] // 16
    assert presence.shape == (n,)
    assert mask.shape == (n, 4 * rows, 4 * columns)
    assert body.shape == head.shape == (n, 5, rows, columns)
    assert 0 <= mask.min() <= mask.max() <= 1


def test_weights_are_stored_in_half_and_nothing_tells_of_this_machine(graph: bytes) -> None:
    model = onnx.load_from_string(graph)
    large = [t for t in model.graph.initializer if onnx.numpy_helper.to_array(t).size >= 256]
    assert {t.data_type for t in large} == {onnx.TensorProto.FLOAT16}
    assert b"site-packages" not in graph
    assert b".py" not in graph
    assert len(graph) < 11_000_000  # 4.9 million weights, two bytes each


def test_another_network_is_not_called_equal(finder: FinderNet, graph: bytes) -> None:
    torch.manual_seed(1)
    stranger = FinderNet(LiteBackbone(), FinderHead()).eval()
    with pytest.raises(LabError, match="differs from torch"):
        check_parity(graph, stranger, [torch.rand(1, 3, 64, 64)], most=1e-3)


NAME = "head.presence.weigh.bias"


def test_weights_can_be_others(graph: bytes) -> None:
    others = with_weights(graph, {NAME: np.array([3.0], np.float32)})
    assert stored_weights(others, NAME) == [3.0]
    pixels = np.full((1, 3, 64, 64), 0.5, np.float32)
    before, after = (Network(some)(pixels) for some in (graph, others))
    log_odds = [np.log(answer[0] / (1 - answer[0])) for answer in (before, after)]
    assert log_odds[1] - log_odds[0] == pytest.approx(3.0 - stored_weights(graph, NAME), abs=1e-3)
    assert all((ours == theirs).all() for ours, theirs in zip(before[1:], after[1:], strict=True))


@pytest.mark.parametrize(("name", "values"), [("head.nose", [1.0]), (NAME, [1.0, 2.0])])
def test_weights_that_the_network_lacks_are_refused(graph: bytes, name: str, values: list[float]) -> None:
    with pytest.raises(LabError, match=f"no {name!r} of shape"):
        with_weights(graph, {name: np.array(values, np.float32)})


def test_asking_for_weights_that_the_network_lacks_is_refused(graph: bytes) -> None:
    with pytest.raises(LabError, match=r"no 'head\.nose'"):
        stored_weights(graph, "head.nose")


def test_folding_changes_no_answer_and_leaves_the_original(finder: FinderNet) -> None:
    pixels = torch.rand(1, 3, 64, 64)
    names = set(finder.state_dict())
    folded = fold_batch_norms(finder)
    with torch.inference_mode():
        assert torch.allclose(folded(pixels)[1], finder(pixels)[1], atol=1e-4)
    assert set(finder.state_dict()) == names
    assert not any("running_mean" in name for name in folded.state_dict())


def test_the_classifier_s_maps_sum_to_its_logits() -> None:
    torch.manual_seed(0)
    net = ClassifierNet("efficientnet_lite0", views=2).eval()
    torch.nn.init.normal_(net.head.bias)
    example = torch.rand(2, 2, 3, 64, 64)
    logits, maps = Network(to_onnx(net, example, ("logits", "maps"), {0: "n"}))(example.numpy())
    assert maps.shape == (2, 2, 5, 2, 2)
    bias = net.head.bias.detach().numpy()
    assert maps.sum(axis=(1, 3, 4)) + bias == pytest.approx(logits, abs=1e-4)
