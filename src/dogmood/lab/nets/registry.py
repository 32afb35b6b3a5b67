"""The networks of the lab, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from dogmood.lab import LabError
from dogmood.lab.nets import mbcc, pretrained, small, vgg
from dogmood.lab.nets.emotion_net import EmotionNet


@dataclass(frozen=True)
class NetSpec:
    """A network and what it wants to be shown.

    Attributes:
        make: takes the number of classes and whether to start from others' weights.
        channels: 1 (grey) or 3 (RGB).
        side: of its input in pixels.
        frame: side of the picture that its crops are cut from: 48 for 40 as in
            Khaireddin & Chen 2021, 256 for 224 as is usual on ImageNet.
        layer: which part of ``features`` Grad-CAM looks at: the last whose maps still
            say where something is.  None takes what all of ``features`` returns.
        fine_tuning: the optimizer and the rate with which its pretrained weights are
            trained on, where the protocol's would undo them within a few steps
            (docs/RESULTS.md, "Networks of the lab"); None takes the protocol's.
    """

    make: Callable[[int, bool], EmotionNet]
    channels: int
    side: int
    frame: int
    layer: int | None = None
    fine_tuning: tuple[str, float] | None = None

    def target(self, net: EmotionNet) -> nn.Module:
        """Return the module whose output Grad-CAM looks at."""
        return net.features if self.layer is None else net.features.get_submodule(str(self.layer))


def _grey(make: Callable[[int], EmotionNet], side: int, layer: int | None = None) -> NetSpec:
    return NetSpec(lambda classes, _: make(classes), 1, side, round(side * 48 / 40), layer)


NETWORKS: dict[str, NetSpec] = {
    "shallow_cnn": _grey(small.shallow_cnn, small.SHALLOW_SIDE),
    "sequential_cnn": _grey(small.sequential_cnn, small.SEQUENTIAL_SIDE),
    # The second four-branch block: 6 x 6 cells, where the last layer has 3 x 3.
    "mbcc_cnn": _grey(mbcc.mbcc_cnn, mbcc.SIDE, layer=5),
    # The third stage before its pooling: 10 x 10 cells, where the last layer has 2 x 2.
    "vggnet": _grey(vgg.vggnet, vgg.SIDE, layer=19),
    "efficientnet_lite0": NetSpec(pretrained.efficientnet_lite0, 3, pretrained.SIDE, 256),
    "dinov2_s": NetSpec(pretrained.dinov2_s, 3, pretrained.SIDE, 256, fine_tuning=("adamw", 1e-5)),
}


def spec(name: str) -> NetSpec:
    """Return what is known of a network.

    Raises:
        LabError: the name is unknown.
    """
    if name not in NETWORKS:
        raise LabError(f"There is no network {name!r}: choose from {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def build(name: str, classes: int, pretrained: bool = True) -> EmotionNet:
    """Make a network; its random numbers come from torch's generator.

    Args:
        name: one of `NETWORKS`.
        classes: how many emotions to tell apart.
        pretrained: start from ImageNet's or DINOv2's weights where there are any.

    Raises:
        LabError: the name is unknown, or a package that carries weights is absent.
    """
    return spec(name).make(classes, pretrained)
