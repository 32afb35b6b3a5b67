"""How the weights of an ONNX graph lie in its file: in 4, 2 or 1 bytes each.

Whatever their form, they are widened to float32 when the file is loaded (plain
operators on constants, which onnxruntime folds), so that everything is computed in
float32: smaller files, the same speed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

STORAGES = ("full", "half", "int8")
"""float32; float16; or int8 with a scale for each output channel, where a weight has
such channels, and float16 elsewhere."""

_WORTH_IT = 256
"""Tensors with fewer numbers stay in float32."""

_MOST = 127


def store(graph_file: bytes, storage: str) -> bytes:
    """Return a graph with its weights stored in another form.

    Args:
        graph_file: a serialised graph; weights already stored small are widened first.
        storage: one of `STORAGES`.
    """
    model = onnx.load_from_string(graph_file)
    graph = model.graph
    _widen(graph)
    if storage != "full":
        axes = dict(_channel_axes(graph)) if storage == "int8" else {}
        nodes = [node for tensor in list(graph.initializer) for node in _shrink(graph, tensor, axes)]
        nodes += graph.node
        del graph.node[:]
        graph.node.extend(nodes)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def rounded(net: nn.Module, storage: str) -> nn.Module:
    """Round a network's weights in place to what `store` would keep of them, still in float32."""
    if storage == "full":
        return net
    by_channel = set()
    if storage == "int8":
        for module in net.modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.numel() >= _WORTH_IT:
                by_channel.add(module.weight)
                module.weight.data = _int8_rounded(module.weight.data)
    for parameter in net.parameters():
        if parameter not in by_channel and parameter.numel() >= _WORTH_IT:
            parameter.data = parameter.data.half().float()
    return net


def _int8_rounded(weight: Tensor) -> Tensor:
    kept, scale = _to_int8(weight.numpy(), 0)
    return torch.from_numpy(kept.astype(np.float32) * scale)


def _to_int8(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values and the scale of each channel along ``axis``, of a shape that multiplies them."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    most = np.abs(values).max(axis=others, keepdims=True)
    scale = (np.maximum(most, 1e-12) / _MOST).astype(np.float32)
    return np.rint(values / scale).astype(np.int8), scale


def _channel_axes(graph: onnx.GraphProto) -> Iterator[tuple[str, int]]:
    """Yield the weights that have output channels, with the axis that counts them."""
    for node in graph.node:
        if node.op_type == "Conv":
            yield node.input[1], 0
        elif node.op_type == "MatMul":
            yield node.input[1], 1
        elif node.op_type == "Gemm":
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            yield node.input[1], 0 if transposed else 1


def _shrink(graph: onnx.GraphProto, tensor: TensorProto, axes: dict[str, int]) -> list[NodeProto]:
    """Store one weight smaller; return the operators that widen it."""
    values = numpy_helper.to_array(tensor)
    if tensor.data_type != TensorProto.FLOAT or values.size < _WORTH_IT:
        return []
    name = tensor.name
    if name not in axes or values.ndim < 2:
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        return [helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)]
    kept, scale = _to_int8(values, axes[name])
    tensor.CopyFrom(numpy_helper.from_array(kept, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    return [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.wide"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name]),
    ]


def _widen(graph: onnx.GraphProto) -> None:
    """Undo `_shrink`, but for the rounding."""
    known = {tensor.name: tensor for tensor in graph.initializer}
    wide: dict[str, NDArray[np.float32]] = {}
    gone, kept_nodes = set(), []
    for node in graph.node:
        source, result = (node.input[0], node.output[0]) if node.input and node.output else ("", "")
        if node.op_type == "Cast" and source in (f"{result}.half", f"{result.removesuffix('.wide')}.int8"):
            wide[result] = numpy_helper.to_array(known[source]).astype(np.float32)
            gone.add(source)
        elif node.op_type == "Mul" and source == f"{result}.wide":
            wide[result] = wide.pop(source) * numpy_helper.to_array(known[f"{result}.scale"])
            gone.add(f"{result}.scale")
        else:
            kept_nodes.append(node)
    tensors = [tensor for tensor in graph.initializer if tensor.name not in gone]
    tensors += [numpy_helper.from_array(values, name) for name, values in wide.items()]
    del graph.initializer[:]
    graph.initializer.extend(tensors)
    del graph.node[:]
    graph.node.extend(kept_nodes)
