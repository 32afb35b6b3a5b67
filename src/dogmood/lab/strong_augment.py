"""How pictures are varied for the shipped classifiers, batched on any device.

Moved, turned, mirrored, recoloured, greyed, blurred as if the dog were far away, and
partly erased: what a user's photo may differ in without the expression changing.
"""

from __future__ import annotations

import torch
from kornia import augmentation
from torch import Tensor, nn
from torch.nn import functional

from dogmood.lab.augment import middle_crop

COARSE = 0.25
"""Share of the pictures that lose resolution."""

COARSEST = 0.25
"""The least share of its side that such a picture is brought down to."""


class StrongAugment:
    """Turns pictures with a margin into varied crops.

    Args:
        side: of the crops.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self._move = nn.Sequential(
            augmentation.RandomAffine(
                degrees=15.0, translate=(0.07, 0.07), scale=(0.8, 1.25), padding_mode="border", p=1.0
            ),
            augmentation.RandomHorizontalFlip(p=0.5),
        )
        self._recolour = nn.Sequential(
            augmentation.ColorJitter(0.3, 0.3, 0.3, 0.02, p=0.8),
            augmentation.RandomGrayscale(p=0.2),
        )
        self._erase = augmentation.RandomErasing(scale=(0.02, 0.2), p=0.25)

    @torch.no_grad()
    def __call__(self, pictures: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Vary pictures, and move their masks with them.

        Args:
            pictures: RGB ``(n, 3, frame, frame)`` in [0, 1].
            masks: ``(n, channels, frame, frame)``, for instance what is dog.

        Returns:
            ``(n, 3, side, side)`` and ``(n, channels, side, side)``.
        """
        moved = middle_crop(self._move(torch.cat([pictures, masks], dim=1)), self.side)
        crops, masks = moved[:, :3], moved[:, 3:]
        varied: Tensor = self._erase(coarsened(self._recolour(crops).clamp(0, 1)))
        return varied, masks


def coarsened(pictures: Tensor) -> Tensor:
    """Bring some of the pictures to a lower resolution and back.

    Args:
        pictures: ``(n, channels, side, side)``.
    """
    side = pictures.shape[-1]
    chosen = torch.rand(len(pictures), device=pictures.device) < COARSE
    if not chosen.any():
        return pictures
    small = int(side * float(torch.empty(1).uniform_(COARSEST, 0.75)))
    less = functional.interpolate(pictures[chosen], size=(small, small), mode="area")
    result = pictures.clone()
    result[chosen] = functional.interpolate(less, size=(side, side), mode="bilinear", align_corners=False)
    return result
