"""Torch networks to ONNX: small, dynamic where it must be, and checked for parity."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dogmood.bundle import Network
from dogmood.lab import LabError
from dogmood.lab.nets.lite import LiteBackbone

OPSET = 18
_WORTH_HALVING = 256
"""Tensors with fewer numbers stay in float32."""


def to_onnx(
    net: nn.Module, example: Tensor, outputs: Sequence[str], dynamic: Mapping[int, str], half: bool = True
) -> bytes:
    """Export a network.

    Args:
        net: in evaluation mode; it is left as it is.
        example: an input.
        outputs: the outputs' names.
        dynamic: the input's axes that may change, by name.
        half: store weights in float16, half the size; they are widened when the file
            is loaded, so that everything is computed in float32.
    """
    # The exporter tells of each torchvision operator it will not need.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    folded = fold_batch_norms(net)
    axes = dict.fromkeys(dynamic, torch.export.Dim.DYNAMIC)
    with warnings.catch_warnings():
        # About how the exporter itself is written: nothing a reader could do about it.
        warnings.simplefilter("ignore", FutureWarning)
        program = torch.onnx.export(
            folded,
            (example,),
            input_names=["pixels"],
            output_names=list(outputs),
            dynamic_shapes=(axes,),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    _name_axes(model, dynamic)
    if half:
        _halve_weights(model)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def check_parity(onnx_file: bytes, net: nn.Module, inputs: Sequence[Tensor], most: float) -> float:
    """Return the largest difference between torch's answers and ONNX's.

    Raises:
        LabError: it is over ``most``.
    """
    network = Network(onnx_file)
    worst = 0.0
    for batch in inputs:
        with torch.inference_mode():
            expected = net(batch)
        for ours, theirs in zip(network(batch.numpy()), expected, strict=True):
            worst = max(worst, float(np.abs(ours - theirs.numpy()).max()))
    if worst > most:
        raise LabError(f"The exported network differs from torch by {worst:.2g}, more than {most:.2g}.")
    return worst


def rounded_to_half(net: nn.Module) -> nn.Module:
    """Return the network with the weights that `to_onnx` would store, still in float32."""
    rounded = fold_batch_norms(net)
    for parameter in rounded.parameters():
        if parameter.numel() >= _WORTH_HALVING:
            parameter.data = parameter.data.half().float()
    return rounded


def fold_batch_norms(net: nn.Module) -> nn.Module:
    """Return a copy in which each batch norm is part of the convolution before it."""
    net = copy.deepcopy(net).eval()
    for backbone in [m for m in net.modules() if isinstance(m, LiteBackbone)]:
        for sequence in (backbone.stem, backbone.summit):
            sequence[0], sequence[1] = _folded(sequence[0], sequence[1]), nn.Identity()
        for block in backbone.blocks:
            for conv, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
                if hasattr(block, conv):
                    setattr(block, conv, _folded(getattr(block, conv), getattr(block, norm)))
                    setattr(block, norm, nn.Identity())
    for row in [m for m in net.modules() if isinstance(m, nn.Sequential)]:
        for i in range(len(row) - 1):
            if isinstance(row[i], nn.Conv2d) and isinstance(row[i + 1], nn.BatchNorm2d):
                row[i], row[i + 1] = _folded(row[i], row[i + 1]), nn.Identity()
    return net


def _folded(conv: nn.Module, norm: nn.Module) -> nn.Module:
    fused: nn.Module = fuse_conv_bn_eval(conv, norm)  # type: ignore[type-var, arg-type]
    return fused


def _strip(model: onnx.ModelProto) -> None:
    """Remove notes about where in whose source each node came from."""
    model.doc_string = ""
    del model.metadata_props[:]
    graph = model.graph
    del graph.metadata_props[:]
    for item in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]


def _name_axes(model: onnx.ModelProto, dynamic: Mapping[int, str]) -> None:
    for axis, name in dynamic.items():
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name


def _halve_weights(model: onnx.ModelProto) -> None:
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _WORTH_HALVING:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
