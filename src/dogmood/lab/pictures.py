"""Equal-sized labelled pictures, on the device where they fit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dogmood.lab.cuts import CUTS, Cutting, cut_photos
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.nets.registry import spec
from dogmood.lab.settings import RunSettings

SHARE = 0.5
"""Pictures stay on the device when they take less than this share of its free memory."""


class Pictures:
    """The photos of one split as a network's crops are cut from them.

    Args:
        pixels: ``(n, channels, frame, frame)`` uint8.
        labels: ``(n,)`` indices into the run's emotions.
        device: where batches are wanted.
    """

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.intp], device: torch.device) -> None:
        self.device = device
        self.labels = torch.from_numpy(labels).to(device)
        self._stored: NDArray[np.uint8] = pixels
        self._held: Tensor | None = None
        if pixels.nbytes < SHARE * _free_memory(device):
            self._held = torch.from_numpy(np.array(pixels)).to(device)

    def __len__(self) -> int:
        return len(self._stored)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``(n, channels, frame, frame)`` float32 in [0, 1] and ``(n,)`` labels.

        Args:
            chosen: ``(n,)`` indices; those on the device cost no waiting for it.
        """
        if self._held is not None:
            pixels = self._held[chosen.to(self.device)]
        else:
            pixels = torch.from_numpy(self._stored[chosen.cpu().numpy()]).to(self.device)
        return pixels.float() / 255, self.labels[chosen.to(self.device)]


def load_pictures(
    photos: Sequence[LabelledPhoto], settings: RunSettings, cache: Path, device: torch.device
) -> Pictures:
    """Cut photos as a run asks, or take them from the cache.

    Raises:
        LabError: a photo cannot be read, or the cache cannot be written to.
    """
    net = spec(settings.network)
    pixels = cut_photos(photos, Cutting(CUTS[settings.cut], net.frame, net.channels), cache)
    labels = np.array([settings.emotions.index(photo.label) for photo in photos], np.intp)
    return Pictures(pixels, labels, device)


def _free_memory(device: torch.device) -> int:
    """Return the bytes that are free on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # not every system can say
        return 2**31
