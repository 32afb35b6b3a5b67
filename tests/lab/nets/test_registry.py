from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from dogmood.lab import LabError
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.registry import NETWORKS, build, spec

MAPS = {
    "shallow_cnn": (18, 18),
    "sequential_cnn": (25, 25),
    "mbcc_cnn": (3, 3),
    "vggnet": (2, 2),
    "efficientnet_lite0": (7, 7),
    "dinov2_s": (16, 16),
}
"""Rows and columns of each network's maps."""

every_network = pytest.mark.parametrize("name", NETWORKS)


@functools.cache
def made(name: str, classes: int = 5) -> EmotionNet:
    """A network that tests share; they leave it in evaluation mode."""
    torch.manual_seed(0)
    return build(name, classes, pretrained=False).eval()


def pictures(name: str, n: int, seed: int = 0) -> torch.Tensor:
    net = spec(name)
    return torch.rand(n, net.channels, net.side, net.side, generator=torch.Generator().manual_seed(seed))


def test_the_networks_are_those_of_the_protocol() -> None:
    facts = {name: (net.channels, net.side, net.frame) for name, net in NETWORKS.items()}
    assert facts == {
        "shallow_cnn": (1, 40, 48),
        "sequential_cnn": (1, 100, 120),
        "mbcc_cnn": (1, 48, 58),
        "vggnet": (1, 40, 48),
        "efficientnet_lite0": (3, 224, 256),
        "dinov2_s": (3, 224, 256),
    }


@given(st.text().filter(lambda name: name not in NETWORKS))
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(LabError, match=r"shallow_cnn, .*, vggnet, .*, dinov2_s\.$"):
        spec(name)


@every_network
@pytest.mark.parametrize("classes", [4, 5])
def test_logits_and_maps_have_their_shapes(name: str, classes: int) -> None:
    net, pixels = made(name, classes), pictures(name, 2)
    with torch.inference_mode():
        logits, maps = net.answer(pixels)
        assert torch.allclose(net(pixels), logits, atol=1e-5)
    assert logits.shape == (2, classes)
    assert maps.shape == (2, classes, *MAPS[name])
    assert maps.isfinite().all()


@every_network
def test_a_seed_makes_the_same_network_again_and_another_seed_another(name: str) -> None:
    first = made(name).state_dict()
    torch.manual_seed(0)
    again = build(name, 5, pretrained=False)
    assert again.training
    assert again.state_dict().keys() == first.keys()
    assert all(torch.equal(tensor, first[key]) for key, tensor in again.state_dict().items())
    torch.manual_seed(1)
    other = build(name, 5, pretrained=False).state_dict()
    assert any(not torch.equal(tensor, first[key]) for key, tensor in other.items())


@every_network
def test_gradients_reach_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    net = build(name, 5, pretrained=False)
    functional.cross_entropy(net(pictures(name, 4)), torch.arange(4)).backward()
    silent = [key for key, weights in net.named_parameters() if weights.grad is None or not weights.grad.any()]
    assert silent == []


@every_network
def test_an_answer_does_not_depend_on_the_rest_of_the_batch(name: str) -> None:
    net, pixels = made(name), pictures(name, 3)
    with torch.inference_mode():
        together, alone = net.answer(pixels), net.answer(pixels[1:2])
    assert torch.allclose(together.logits[1:2], alone.logits, atol=1e-5)
    assert torch.allclose(together.maps[1:2], alone.maps, atol=1e-5)
