from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="builds a network: pip install '.[lab]'")

from small_classifier import small_classifier  # noqa: E402


def test_the_small_network_has_as_many_weights_as_is_published() -> None:
    # Of YOLOv8n-cls with the labels of ImageNet: 2.7 million.
    assert sum(weights.numel() for weights in small_classifier(1000).parameters()) == 2_719_288


def test_it_gives_one_label_to_a_picture() -> None:
    with torch.inference_mode():
        assert small_classifier(4).eval()(torch.rand(2, 3, 224, 224)).shape == (2, 4)
