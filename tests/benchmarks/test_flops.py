"""Operations are counted from the graph: what is known is exact, what is not is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

onnx = pytest.importorskip("onnx", reason="counts what graphs do: pip install '.[lab]'")

from onnx import TensorProto, helper  # noqa: E402
from race.flops import count_flops  # noqa: E402

from dogmood.bundle import open_bundle  # noqa: E402


def graph(nodes: Sequence[onnx.NodeProto], shape: Sequence[int | str], **weights: Sequence[int]) -> bytes:
    """Return a graph from `x` to `y` with weights of these shapes, all zeros."""
    zeros = [
        helper.make_tensor(name, TensorProto.FLOAT, dims, bytes(4 * math.prod(dims)), raw=True)
        for name, dims in weights.items()
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    told = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = helper.make_model(
        helper.make_graph(nodes, "tiny", [given], [told], zeros), opset_imports=[helper.make_opsetid("", 17)]
    )
    data: bytes = made.SerializeToString()
    return data


def test_a_convolution_in_groups() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=2, strides=[2, 2], pads=[1, 1, 1, 1])
    tiny = graph([node], ["n", 4, "height", "width"], w=[6, 2, 3, 3])
    assert count_flops(tiny, (1, 4, 8, 10)) == 2 * (6 * 4 * 5) * (2 * 3 * 3)
    assert count_flops(tiny, (3, 4, 8, 10)) == 3 * count_flops(tiny, (1, 4, 8, 10))


def test_products_of_matrices() -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "v"], ["y"], transA=1),
    ]
    assert count_flops(graph(nodes, ["n", 7], w=[7, 5], v=[3, 2]), (3, 7)) == 2 * 3 * 7 * 5 + 2 * 5 * 3 * 2


def test_a_batch_of_products() -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["x", "t"], ["y"]),
    ]
    assert count_flops(graph(nodes, ["n", 7, 5]), (4, 7, 5)) == 4 * 2 * 7 * 7 * 5


def test_products_that_are_not_counted_are_refused() -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"])
    with pytest.raises(ValueError, match="ConvTranspose"):
        count_flops(graph([node], ["n", 4, 8, 8], w=[4, 2, 3, 3]), (1, 4, 8, 8))


def test_a_shape_that_depends_on_the_values_is_refused() -> None:
    nodes = [
        helper.make_node("NonZero", ["x"], ["at"]),
        helper.make_node("Cast", ["at"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["a"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["t", "w"], ["y"]),
    ]
    with pytest.raises(ValueError, match="cannot be told"):
        count_flops(graph(nodes, [3, 7], w=[2, 5]), (3, 7))


@pytest.mark.parametrize("model", ["fast", "base"])
def test_the_shipped_networks_can_be_counted(model: str) -> None:
    """A classifier takes twice the work for two dogs; a finder four times for twice the side."""
    bundle = open_bundle(model)
    one, two = (count_flops(bundle.classifier, (dogs, 2, 3, 224, 224)) for dogs in (1, 2))
    assert two == 2 * one > 1e9
    small, large = (count_flops(bundle.finder, (1, 3, side, side)) for side in (192, 384))
    assert large == pytest.approx(4 * small, rel=0.01)
