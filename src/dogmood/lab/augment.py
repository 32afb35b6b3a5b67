"""Augmentation of the protocol, batched on whatever device the pictures are on.

Khaireddin & Chen 2021 (arXiv:2105.03588, section 4.1): rescaled by 0.8 to 1.2,
shifted by up to 20 % (half the time), mirrored (half the time), turned by up to 10
degrees (half the time), then cut to ten crops; half of the crops get a random
rectangle erased.
"""

from __future__ import annotations

import torch
from kornia.augmentation import RandomErasing
from kornia.geometry.transform import get_affine_matrix2d, warp_affine
from torch import Tensor

SCALE = (0.8, 1.2)
SHIFT = 0.2
TURN = 10.0
ERASED = (0.02, 0.4)
"""Area of the erased rectangle as a share of the crop's (Zhong et al. 2017, arXiv:1708.04896)."""


def ten_crops(pictures: Tensor, side: int) -> Tensor:
    """Cut the corners and the middle, and mirror them.

    Args:
        pictures: ``(n, channels, frame, frame)``.
        side: of the crops, at most the frame.

    Returns:
        ``(n * 10, channels, side, side)``: ten in a row for each picture.
    """
    rest = pictures.shape[-1] - side
    places = ((0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2))
    five = torch.stack([pictures[..., y : y + side, x : x + side] for y, x in places], dim=1)
    return torch.cat([five, five.flip(-1)], dim=1).flatten(0, 1)


def middle_crop(pictures: Tensor, side: int) -> Tensor:
    """Cut the middle: ``(n, channels, side, side)``."""
    at = (pictures.shape[-1] - side) // 2
    return pictures[..., at : at + side, at : at + side]


def one_crop(pictures: Tensor, side: int) -> Tensor:
    """Cut one random place of each picture: ``(n, channels, side, side)``."""
    n, channels, frame, _ = pictures.shape
    corners = torch.randint(frame - side + 1, (n, 2), device=pictures.device)
    steps = torch.arange(side, device=pictures.device)
    rows = (corners[:, :1] + steps)[:, None, :, None]
    columns = (corners[:, 1:] + steps)[:, None, None, :]
    some = torch.arange(n, device=pictures.device)[:, None, None, None]
    layers = torch.arange(channels, device=pictures.device)[None, :, None, None]
    return pictures[some, layers, rows, columns]


class Augment:
    """Turns pictures as stored into what a network is trained on.

    Args:
        side: of the crops.
        crops: ten of each picture, or one at a random place.
        moving: whether pictures are changed at all; without, the middle is cut.
    """

    def __init__(self, side: int, crops: int, moving: bool) -> None:
        self.side, self.moving = side, moving
        self.crops = crops if moving else 1
        self._erase = RandomErasing(scale=ERASED, p=0.5)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Take ``(n, channels, frame, frame)`` in [0, 1], return ``(n * crops, channels, side, side)``."""
        if not self.moving:
            return middle_crop(pictures, self.side)
        moved = moved_about(pictures)
        cut = ten_crops(moved, self.side) if self.crops == 10 else one_crop(moved, self.side)
        erased: Tensor = self._erase(cut)
        return erased


def moved_about(pictures: Tensor) -> Tensor:
    """Rescale, shift, mirror and turn each picture by its own draw, in one resampling.

    Args:
        pictures: ``(n, channels, frame, frame)``; what moves in from outside is black.
    """
    n, frame = len(pictures), pictures.shape[-1]
    device = pictures.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(n, *shape, device=device).uniform_(low, high)

    def half() -> Tensor:
        return (torch.rand(n, device=device) < 0.5).float()

    scale = uniform(*SCALE)[:, None].expand(n, 2)
    shift = uniform(-SHIFT, SHIFT, 2) * frame * half()[:, None]
    turn = uniform(-TURN, TURN) * half()
    centre = torch.full((n, 2), (frame - 1) / 2, device=device)
    matrix = get_affine_matrix2d(shift, centre, scale, turn)
    mirror = torch.eye(3, device=device).repeat(n, 1, 1)
    flipped = half()
    mirror[:, 0, 0] = 1 - 2 * flipped
    mirror[:, 0, 2] = flipped * (frame - 1)
    return warp_affine(pictures, (matrix @ mirror)[:, :2], (frame, frame))
