"""How many floating-point operations a network takes, counted from its ONNX graph.

Counted are the products: convolutions, `Gemm` and `MatMul`, a multiplication and an
addition as two.  All else (normalisation, activations, softmax, unpacking weights of one
byte) is left out, so that the rate made of the count is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

Shapes = Mapping[str, tuple[int, ...]]


def count_flops(onnx_bytes: bytes, shape: Sequence[int]) -> int:
    """Return the operations of one run.

    Args:
        onnx_bytes: the serialised graph; it has one input.
        shape: of that input.

    Raises:
        ValueError: a shape that is needed cannot be told from the graph, or it has
            products of a kind that is not counted.
    """
    import onnx

    model = onnx.load_from_string(onnx_bytes)
    if unknown := {node.op_type for node in model.graph.node} & _OTHER_PRODUCTS:
        raise ValueError(f"the graph has products that are not counted: {', '.join(sorted(unknown))}")
    shapes = _shapes(model, shape)
    return sum(_COUNTED[node.op_type](node, shapes) for node in model.graph.node if node.op_type in _COUNTED)


def _shapes(model: ModelProto, shape: Sequence[int]) -> Shapes:
    """Return the shape of every tensor that has a known one."""
    from onnx import shape_inference

    graph = model.graph
    given, *others = graph.input
    if others:
        raise ValueError("the graph has more than one input")
    for dimension, length in zip(given.type.tensor_type.shape.dim, shape, strict=True):
        dimension.dim_value = length
    # What the exporter wrote down has letters where there are numbers now.
    del graph.value_info[:]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    told = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    found = {value.name: _lengths(value) for value in (*told.value_info, *told.input, *told.output)}
    known = {name: lengths for name, lengths in found.items() if lengths is not None}
    return known | {weights.name: tuple(weights.dims) for weights in graph.initializer}


def _lengths(value: ValueInfoProto) -> tuple[int, ...] | None:
    kind = value.type.tensor_type
    if not kind.HasField("shape") or any(not dimension.HasField("dim_value") for dimension in kind.shape.dim):
        return None
    return tuple(dimension.dim_value for dimension in kind.shape.dim)


def _of(name: str, shapes: Shapes) -> tuple[int, ...]:
    if name not in shapes:
        raise ValueError(f"the shape of {name!r} cannot be told from the graph")
    return shapes[name]


def _convolution(node: NodeProto, shapes: Shapes) -> int:
    # Weights are (out, in / groups, height, width).
    _, *each = _of(node.input[1], shapes)
    return 2 * math.prod(_of(node.output[0], shapes)) * math.prod(each)


def _gemm(node: NodeProto, shapes: Shapes) -> int:
    rows, columns = _of(node.input[0], shapes)
    transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    return 2 * math.prod(_of(node.output[0], shapes)) * (rows if transposed else columns)


def _product(node: NodeProto, shapes: Shapes) -> int:
    return 2 * math.prod(_of(node.output[0], shapes)) * _of(node.input[0], shapes)[-1]


_COUNTED = {"Conv": _convolution, "Gemm": _gemm, "MatMul": _product}

_OTHER_PRODUCTS = {
    "Attention", "ConvInteger", "ConvTranspose", "DeformConv", "Einsum", "GRU", "LSTM", "MatMulInteger", "QLinearConv",
    "QLinearMatMul", "RNN",
}  # fmt: skip
"""Left out in silence, they would make the count too small."""
