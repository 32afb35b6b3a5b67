from __future__ import annotations

import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dogmood.bundle import Network
from dogmood.lab.explain.sanity import randomised, rank_correlation


def graph() -> bytes:
    """A convolution of learnt weights after a constant of the preprocessing."""
    random = np.random.default_rng(0)
    weights = {
        "mean": np.array([0.4, 0.5, 0.6], np.float32).reshape(1, 3, 1, 1),
        "learnt": random.normal(size=(5, 3, 4, 4)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Sub", ["pixels", "mean"], ["centred"]),
        helper.make_node("Conv", ["centred", "learnt"], ["maps"], strides=[4, 4]),
    ]
    shape = helper.make_tensor_value_info
    made = helper.make_graph(
        nodes,
        "net",
        [shape("pixels", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [shape("maps", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    data: bytes = model.SerializeToString()
    return data


def tensors(data: bytes) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in onnx.load_from_string(data).graph.initializer}


def test_learnt_numbers_are_mixed_up_and_constants_left_alone() -> None:
    before, after = tensors(graph()), tensors(randomised(graph(), 0))
    assert (before["mean"] == after["mean"]).all()
    assert (before["learnt"] != after["learnt"]).any()
    assert (np.sort(before["learnt"].ravel()) == np.sort(after["learnt"].ravel())).all()
    assert randomised(graph(), 0) == randomised(graph(), 0) != randomised(graph(), 1)


def test_a_map_that_depends_on_what_was_learnt_becomes_another_one() -> None:
    pixels = np.random.default_rng(1).random((1, 3, 32, 32), dtype=np.float32)
    (learnt,) = Network(graph())(pixels)
    others = [Network(randomised(graph(), seed))(pixels)[0] for seed in range(20)]
    assert rank_correlation(learnt, learnt) == 1
    assert np.mean([rank_correlation(learnt, other) for other in others]) == pytest.approx(0, abs=0.15)


def test_a_flat_map_has_no_order() -> None:
    assert math.isnan(rank_correlation(np.zeros((3, 3), np.float32), np.eye(3, dtype=np.float32)))
