"""Torch networks to ONNX: small, dynamic where it must be, and checked for parity."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dogmood.bundle import Network
from dogmood.lab import LabError
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.storage import rounded, store

OPSET = 18


def to_onnx(
    net: nn.Module, example: Tensor, outputs: Sequence[str], dynamic: Mapping[int, str], storage: str = "half"
) -> bytes:
    """Export a network.

    Args:
        net: in evaluation mode; it is left as it is.
        example: an input.
        outputs: the outputs' names.
        dynamic: the input's axes that may change, by name.
        storage: how the weights are kept, one of `dogmood.lab.storage.STORAGES`.
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
    return store(model.SerializeToString(), storage)


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


def with_weights(onnx_file: bytes, weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Return a graph in which the weights of these names are others.

    Raises:
        LabError: the graph has no weights of such a name, or of another shape.
    """
    model = onnx.load_from_string(onnx_file)
    known = {stored.name: stored for stored in model.graph.initializer}
    for name, values in weights.items():
        if name not in known or tuple(known[name].dims) != values.shape:
            raise LabError(f"The network has no {name!r} of shape {values.shape}: take another model's, or train one.")
        known[name].CopyFrom(numpy_helper.from_array(values, name))
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def stored_weights(onnx_file: bytes, name: str) -> NDArray[np.float32]:
    """Return the weights of that name.

    Raises:
        LabError: the graph has none.
    """
    for stored in onnx.load_from_string(onnx_file).graph.initializer:
        if stored.name == name:
            return numpy_helper.to_array(stored).astype(np.float32)
    raise LabError(f"The network has no {name!r}: take another model's, or train one.")


def as_stored(net: nn.Module, storage: str = "half") -> nn.Module:
    """Return a copy of the network with the weights that `to_onnx` would store."""
    return rounded(fold_batch_norms(net), storage)


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
