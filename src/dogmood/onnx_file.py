"""What an ONNX graph may hold, told from its bytes before anything is made of it.

A graph of ours is a plain list of ONNX's own operations on numbers that stand in the
file.  The format can do more: it can take its numbers from other files, loop, and name
operations of other makers.  A file that does is refused.

The format is a protocol buffer (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto);
the few fields that matter are found here without the ``onnx`` package, which reading
does not need otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

MOST_NODES = 20_000
"""Operations of one graph; ours have some hundreds."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_OURS = (b"", b"ai.onnx")
"""Names of the set of operations that ONNX itself defines."""

_Part: TypeAlias = tuple[int, int | memoryview]

# Numbers of fields, as onnx.proto gives them.
_MODEL_GRAPH, _MODEL_OPSET, _MODEL_FUNCTION = 7, 8, 25
_OPSET_DOMAIN = 1
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_ATTRIBUTE, _NODE_DOMAIN = 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_TENSOR_ELSEWHERE, _TENSOR_LOCATION = 13, 14


class GraphError(ValueError):
    """A graph that is refused; the message says why, as the end of a sentence."""


def check_graph(onnx: bytes) -> None:
    """Refuse a graph that is more than a plain list of ONNX's own operations.

    Raises:
        GraphError: it is damaged, takes numbers from other files, holds graphs within
            graphs, functions, sparse tensors or operations of other makers.
    """
    graphs = 0
    for field, value in _fields(memoryview(onnx)):
        if field == _MODEL_GRAPH:
            graphs += 1
            _check_nodes(_message(value))
        elif field == _MODEL_FUNCTION:
            raise GraphError("it defines operations of its own")
        elif field == _MODEL_OPSET:
            _check_domain(value, _OPSET_DOMAIN)
    if graphs != 1:
        raise GraphError("it holds no graph")


def _check_nodes(graph: memoryview) -> None:
    nodes = 0
    for field, value in _fields(graph):
        if field == _GRAPH_TENSOR:
            _check_tensor(_message(value))
        elif field == _GRAPH_SPARSE:
            raise GraphError("it holds sparse tensors")
        elif field == _GRAPH_NODE:
            nodes += 1
            _check_domain(value, _NODE_DOMAIN)
            for part, attribute in _fields(_message(value)):
                if part == _NODE_ATTRIBUTE:
                    _check_attribute(_message(attribute))
    if nodes > MOST_NODES:
        raise GraphError(f"it has {nodes} operations, more than {MOST_NODES}")


def _check_attribute(attribute: memoryview) -> None:
    for field, value in _fields(attribute):
        if field in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
            _check_tensor(_message(value))
        elif field in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
            raise GraphError("it loops or branches")
        elif field in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
            raise GraphError("it holds sparse tensors")


def _check_tensor(tensor: memoryview) -> None:
    for field, value in _fields(tensor):
        if field == _TENSOR_ELSEWHERE or (field == _TENSOR_LOCATION and value != 0):
            raise GraphError("it takes numbers from other files")


def _check_domain(message: int | memoryview, field: int) -> None:
    for part, value in _fields(_message(message)):
        if part == field and bytes(_message(value)) not in _OURS:
            raise GraphError("it asks for operations that are not ONNX's own")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise GraphError("it is damaged")
    return value


def _fields(message: memoryview) -> Iterator[_Part]:
    """Yield the number and the value of each field of a message.

    See https://protobuf.dev/programming-guides/encoding/; groups, which ONNX does not
    have, are refused.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        field, kind = key >> 3, key & 7
        if kind == _VARINT:
            number, at = _varint(message, at)
            yield field, number
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise GraphError("it is damaged")
        if at + size > end:
            raise GraphError("it is damaged")
        yield field, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise GraphError("it is damaged")
