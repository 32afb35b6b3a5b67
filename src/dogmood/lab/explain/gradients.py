"""Other ways to say where a network of the lab looked, from its gradients or its answers alone.

Grad-CAM, HiResCAM and gradients come from captum: it is maintained, of a permissive
licence (BSD-3-Clause), and needs nothing but torch, where the ``grad-cam`` package
imports torchvision and OpenCV as soon as it is imported itself.  Which layer a map is
taken from is part of what is known of each network (`dogmood.lab.nets.registry`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from dogmood.lab.explain.occlusion import occlusion_map, rise_map
from dogmood.lab.explain.probe import Answer
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.registry import spec
from dogmood.photo import Pixels

Map = NDArray[np.float32]

_GREY = 128
"""What hides a part from a network of the lab."""

_NOISY, _NOISE = 25, 0.1


def explain(net: EmotionNet, network: str, pixels: Tensor, emotion: int, method: str) -> Map:
    """Return where a network looked, by one of `METHODS`.

    Args:
        net: in evaluation mode; it is left as it is.
        network: its name in `dogmood.lab.nets.registry`.
        pixels: ``(channels, side, side)`` in [0, 1], grey or RGB as the network takes them.
        emotion: index of the logit to explain.
        method: how.

    Returns:
        ``(side, side)`` float32 in [0, 1], 1 where it is strongest; all 0 where nothing is found.
    """
    found = METHODS[method](net, network, pixels[None], emotion)
    return _to_unit(found, pixels.shape[-1])


def class_activation(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return the map that the forward pass gives, and that exported models carry."""
    with torch.inference_mode():
        maps = net.answer(pixels).maps
    result: Map = maps[0, emotion].numpy()
    return result


def grad_cam(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): channels weighted by their mean gradient."""
    from captum.attr import LayerGradCam

    cam = LayerGradCam(net, spec(network).target(net)).attribute(_leaf(pixels), emotion, relu_attributions=True)
    return _array(cam[0, 0])


def hires_cam(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return HiResCAM (Draelos & Carin 2020, arXiv:2011.08891): each feature times its own gradient, summed."""
    from captum.attr import LayerGradientXActivation

    parts = LayerGradientXActivation(net, spec(network).target(net)).attribute(_leaf(pixels), emotion)
    return _array(parts[0].sum(dim=0))


def gradients(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return by how much each pixel moves the loss (Simonyan et al. 2014, arXiv:1312.6034).

    The loss is the cross-entropy with the emotion as its label, as in Khaireddin & Chen
    2021; of several channels the strongest counts.
    """
    from captum.attr import Saliency

    moved = Saliency(_LogShare(net)).attribute(_leaf(pixels), emotion)
    return _without_outliers(_array(moved[0].amax(dim=0)))


def smooth_gradients(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return the mean of `gradients` over noisy copies (SmoothGrad, Smilkov et al. 2017, arXiv:1706.03825)."""
    from captum.attr import NoiseTunnel, Saliency

    torch.manual_seed(0)
    tunnel = NoiseTunnel(Saliency(_LogShare(net)))
    moved = tunnel.attribute(_leaf(pixels), target=emotion, nt_samples=_NOISY, stdevs=_NOISE)
    return _without_outliers(_array(moved[0].amax(dim=0)))


def occlusion(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return what hiding each part takes from the logit: `dogmood.lab.explain.occlusion`."""
    shown, photo = _photo(pixels)
    return occlusion_map(answer_of(net, emotion), photo, np.full_like(photo, _GREY), shown)


def rise(net: EmotionNet, network: str, pixels: Tensor, emotion: int) -> Map:
    """Return the mean logit where each spot was left to see: `dogmood.lab.explain.occlusion`."""
    shown, photo = _photo(pixels)
    return rise_map(answer_of(net, emotion), photo, np.full_like(photo, _GREY), shown, masks=500)


METHODS: dict[str, Callable[[EmotionNet, str, Tensor, int], Map]] = {
    "class activation": class_activation,
    "Grad-CAM": grad_cam,
    "HiResCAM": hires_cam,
    "gradients": gradients,
    "smooth gradients": smooth_gradients,
    "occlusion": occlusion,
    "RISE": rise,
}
"""Each takes a network, its name, pixels ``(1, channels, side, side)`` and an emotion's index."""


def answer_of(net: EmotionNet, emotion: int) -> Answer:
    """Return a function that says how far an emotion's logit is above the mean of all.

    It takes pictures ``(side, side, channels)`` uint8.
    """

    def answer(photos: Sequence[Pixels]) -> NDArray[np.float64]:
        batch = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            logits = torch.cat([net(some) for some in torch.split(batch, 32)]).double()
        result: NDArray[np.float64] = (logits[:, emotion] - logits.mean(dim=1)).numpy()
        return result

    return answer


class _LogShare(nn.Module):
    """The logarithm of each emotion's probability: the loss of a label, but for its sign."""

    def __init__(self, net: EmotionNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        return self.net(pixels).log_softmax(dim=1)  # type: ignore[no-any-return]


def _leaf(pixels: Tensor) -> Tensor:
    return pixels.detach().clone().requires_grad_()


def _array(values: Tensor) -> Map:
    result: Map = values.detach().float().numpy()
    return result


def _without_outliers(values: Map) -> Map:
    """Cap the strongest hundredth, which would leave all else dark (as Smilkov et al. 2017 do)."""
    result: Map = np.minimum(values, np.percentile(values, 99)).astype(np.float32)
    return result


def _photo(pixels: Tensor) -> tuple[tuple[float, float, float, float], Pixels]:
    photo = (pixels[0].permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
    return (0.0, 0.0, float(photo.shape[1]), float(photo.shape[0])), photo


def _to_unit(found: Map, side: int) -> Map:
    """Stretch what speaks for the emotion over the picture, and bring it to [0, 1]."""
    positive = np.maximum(found, 0).astype(np.float32)
    stretched = np.asarray(Image.fromarray(positive).resize((side, side), Image.Resampling.BICUBIC))
    top = float(stretched.max())
    result: Map = np.clip(stretched / top, 0, 1) if top > 0 else np.zeros((side, side), np.float32)
    return result
