"""Whether a map depends on what the network has learnt (Adebayo et al. 2018, arXiv:1810.03292).

Edges of a photo, or the middle of a crop, look like an explanation whatever the
network knows.  So its weights are mixed up, and the map has to become another one.
"""

from __future__ import annotations

import warnings

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from scipy.stats import spearmanr

_LEARNT = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8)
_LEAST = 32
"""Tensors with fewer numbers are left alone: they are constants of the preprocessing."""


def randomised(graph: bytes, seed: int) -> bytes:
    """Return an ONNX graph in which every learnt tensor's numbers stand in a random order.

    Each layer keeps the size and spread of its weights, so that signals neither die
    nor explode on their way; what they meant is gone.

    Args:
        graph: the serialised graph.
        seed: of the order.
    """
    random = np.random.default_rng(seed)
    model = onnx.load_from_string(graph)
    for tensor in model.graph.initializer:
        if tensor.data_type in _LEARNT:
            values = numpy_helper.to_array(tensor)
            if values.size >= _LEAST:
                mixed = random.permutation(values.ravel()).reshape(values.shape)
                tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(mixed), tensor.name))
    data: bytes = model.SerializeToString()
    return data


def rank_correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return Spearman's rank correlation of two maps of one shape, in [-1, 1]; nan where one is flat."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a flat map has no order: said by nan
        return float(spearmanr(first.ravel(), second.ravel()).statistic)
