"""Graphs that are more than a list of ONNX's own operations are refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.bundle import Network, open_bundle, shipped_models
from dogmood.errors import ModelError
from dogmood.onnx_file import MOST_NODES, GraphError, check_graph
from mutations import damaged

onnx = pytest.importorskip("onnx")
helper, TensorProto = onnx.helper, onnx.TensorProto


def value(name: str) -> object:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])


def tensor(name: str = "w") -> object:
    return helper.make_tensor(name, TensorProto.FLOAT, [1], [2.0])


def model(nodes: list[object], initializers: tuple[object, ...] = (), **more: object) -> object:
    graph = helper.make_graph(nodes, "g", [value("x")], [value("y")], initializers)
    domains = more.pop("domains", [("", 18)])
    opsets = [helper.make_opsetid(domain, version) for domain, version in domains]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **more)


def plain() -> object:
    return model([helper.make_node("Mul", ["x", "w"], ["y"])], (tensor(),))


def elsewhere(by_location: bool = True) -> object:
    found = plain()
    weights = found.graph.initializer[0]
    weights.ClearField("float_data")
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "/etc/hostname"
    if by_location:
        weights.data_location = TensorProto.EXTERNAL
    return found


def constant_elsewhere() -> object:
    held = tensor()
    held.ClearField("float_data")
    held.data_location = TensorProto.EXTERNAL
    constant = helper.make_node("Constant", [], ["c"], value=held)
    return model([constant, helper.make_node("Mul", ["x", "c"], ["y"])])


def branching() -> object:
    part = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "part", [], [value("z")])
    yes = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True]))
    return model([yes, helper.make_node("If", ["c"], ["y"], then_branch=part, else_branch=part)])


def functions() -> object:
    node = helper.make_node("Mine", ["x"], ["y"], domain="")
    body = helper.make_function(
        "", "Mine", ["x"], ["y"], [helper.make_node("Identity", ["x"], ["y"])], [helper.make_opsetid("", 18)]
    )
    return model([node], functions=[body])


def sparse() -> object:
    found = plain()
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    found.graph.sparse_initializer.append(helper.make_sparse_tensor(tensor("s"), indices, [1]))
    return found


def foreign(announced: bool) -> object:
    node = helper.make_node("Mul", ["x", "x"], ["y"], domain="com.example")
    return model([node], domains=[("", 18), ("com.example", 1)] if announced else [("", 18)])


REFUSED = {
    "weights in another file": (elsewhere(), "takes numbers from other files"),
    "a place without its flag": (elsewhere(by_location=False), "takes numbers from other files"),
    "a constant in another file": (constant_elsewhere(), "takes numbers from other files"),
    "branches": (branching(), "loops or branches"),
    "functions": (functions(), "defines operations of its own"),
    "sparse weights": (sparse(), "holds sparse tensors"),
    "a domain": (foreign(announced=True), "not ONNX's own"),
    "a domain without notice": (foreign(announced=False), "not ONNX's own"),
    "ever so many": (model([helper.make_node("Abs", ["x"], ["y"])] * (MOST_NODES + 1)), f"more than {MOST_NODES}"),
    "nothing": (onnx.ModelProto(), "holds no graph"),
}


def test_a_plain_graph_is_let_in_and_computed() -> None:
    check_graph(plain().SerializeToString())
    assert Network(plain().SerializeToString())(np.ones(1, np.float32))[0] == 2


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused(name: str) -> None:
    graph, why = REFUSED[name]
    with pytest.raises(GraphError, match=why):
        check_graph(graph.SerializeToString())
    with pytest.raises(ModelError, match=f"is refused: .*{why}"):
        Network(graph.SerializeToString())


@pytest.mark.parametrize("name", shipped_models())
def test_the_shipped_graphs_are_plain(name: str) -> None:
    bundle = open_bundle(name)
    assert bundle.shipped
    check_graph(bundle.finder)
    check_graph(bundle.classifier)


@settings(max_examples=300)
@given(data=st.data())
def test_damage_gives_a_network_or_a_sentence(data: st.DataObject) -> None:
    graph = data.draw(damaged(plain().SerializeToString()) | st.binary(max_size=60))
    with contextlib.suppress(ModelError):
        Network(graph)(np.ones(1, np.float32))


@pytest.mark.parametrize("graph", [b"", b"\x3a", b"\xff" * 11, b"\x3b\x3c", b"\x3a\x05ab", b"\x38\x01"])
def test_torn_messages_are_refused(graph: bytes) -> None:
    with pytest.raises(GraphError):
        check_graph(graph)
