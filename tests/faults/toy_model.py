"""A model file of a few kilobytes: one dog in every photo, judged by the photo's mean colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from dogmood.bundle import write_bundle
from dogmood.card import Settings
from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import Doubt
from dogmood.emotions import EMOTIONS
from dogmood.finder import FinderSettings

SIDE = 32
CELLS = SIDE // 16


def write_toy(path: Path, name: str = "toy", version: str = "1") -> Path:
    """Write the model and return its path."""
    settings = Settings(
        finder=FinderSettings(side=SIDE, presence=0.5, box=0.5, head=0.5),
        classifier=ClassifierSettings(side=SIDE, views=(View("body", 1.0),)),
        doubt=Doubt(temperature=1.0, sure=0.5, coverage=0.5, least=dict.fromkeys(EMOTIONS, 0.1)),
    )
    card = {"name": name, "version": version, "labels": list(EMOTIONS), **settings.to_card()}
    write_bundle(path, card, _finder(), _classifier())
    return path


def _finder() -> bytes:
    """Whatever is shown: a dog is there for sure, in the box around the first cell and a half on."""
    boxes = np.zeros((1, 5, CELLS, CELLS), np.float32)
    boxes[0, 0, 0, 0] = 1.0
    boxes[0, 1:, 0, 0] = (0.4, 0.4, 1.4, 1.4)
    maps = {
        "presence": np.full((1,), 0.99, np.float32),
        "mask": np.ones((1, 4 * CELLS, 4 * CELLS), np.float32),
        "body": boxes,
        "head": np.zeros_like(boxes),
    }
    nodes, constants = [helper.make_node("ReduceMean", ["pixels"], ["mean"], keepdims=0)], []
    constants.append(numpy_helper.from_array(np.float32(0), "nothing"))
    nodes.append(helper.make_node("Mul", ["mean", "nothing"], ["zero"]))
    for name, value in maps.items():
        constants.append(numpy_helper.from_array(value, f"{name}_is"))
        nodes.append(helper.make_node("Add", [f"{name}_is", "zero"], [name]))
    return _graph(nodes, [1, 3, "h", "w"], {name: list(value.shape) for name, value in maps.items()}, constants)


def _classifier() -> bytes:
    weights = np.random.default_rng(0).normal(size=(3, len(EMOTIONS))).astype(np.float32)
    shape = np.array([-1, 1, len(EMOTIONS), 1, 1], np.int64)
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "sides"], ["colour"], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["logits"]),
        helper.make_node("Reshape", ["logits", "shape"], ["maps"]),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(shape, "shape"),
        numpy_helper.from_array(np.array([1, 3, 4], np.int64), "sides"),
    ]
    outputs = {"logits": ["n", len(EMOTIONS)], "maps": ["n", 1, len(EMOTIONS), 1, 1]}
    return _graph(nodes, ["n", 1, 3, SIDE, SIDE], outputs, constants)


def _graph(nodes: list, shape: list, outputs: dict[str, list], constants: list) -> bytes:
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in outputs.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model.SerializeToString()
