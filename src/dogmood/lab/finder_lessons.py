"""The two lessons of the finder: whole photos, and then every guise of them with masks of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dogmood.finder import FinderSettings
from dogmood.lab.features import FeatureCache, Features, weights_digest
from dogmood.lab.finder_targets import Truth, mask_target
from dogmood.lab.finder_views import FinderPhoto, View
from dogmood.lab.nets.finder import DOG, MASK_FACTOR, FinderHead
from dogmood.lab.nets.lite import LiteBackbone, Maps
from dogmood.lab.train_finder import Example
from dogmood.photo import Pixels, open_photo

LEAST_SEEN = 0.3
"""A finder that calls less of a dog's box dog than this does not see the dog."""


class Lessons:
    """What the finder's heads learn from, on backbone features that are kept on disk.

    Args:
        photos: the photos.
        sides: the long sides in pixels that whole photos are shown at.
        backbone: makes the features.
        work: where they are kept.
    """

    def __init__(self, photos: Sequence[FinderPhoto], sides: Sequence[int], backbone: LiteBackbone, work: Path) -> None:
        self.photos, self.sides = photos, sides
        self._backbone, self._work = backbone, work

    def wholes(self) -> list[Example]:
        """Return the photos as they are, at every side, with what is known of them."""
        return [
            Example(features, photo.truth)
            for side in self.sides
            for photo, features in zip(self.photos, self._whole(side), strict=True)
        ]

    def guises(self, head: FinderHead, settings: FinderSettings) -> list[Example]:
        """Return the photos as they are and in their guises; where no exact mask is known, with what heads say.

        Args:
            head: heads that have learnt from whole photos.
            settings: how the finder looks.
        """
        seen = [list(self._whole(side)) for side in self.sides]
        known = [taught(p.truth, masks_seen(head, views)) for p, *views in zip(self.photos, *seen, strict=True)]
        examples = [Example(maps, truth) for of_side in seen for maps, truth in zip(of_side, known, strict=True)]
        largest = replace(settings, side=max(self.sides))
        views = [(i, view) for i, photo in enumerate(self.photos) for view in photo.guises(largest)]
        kept = self._features([self.photos[i] for i, _ in views], [view for _, view in views])
        for maps, (i, view) in zip(kept, views, strict=True):
            examples.append(Example(maps, view.known(known[i], *self.photos[i].size)))
        return examples

    def _whole(self, side: int) -> FeatureCache:
        return self._features(self.photos, [View(side)] * len(self.photos))

    def _features(self, photos: Sequence[FinderPhoto], views: Sequence[View]) -> FeatureCache:
        keys = [f"{photo.digest} {view}" for photo, view in zip(photos, views, strict=True)]

        def picture(i: int) -> Pixels:
            return views[i].pixels(open_photo(photos[i].path).pixels)

        cache = FeatureCache(self._work / "features", self._backbone, weights_digest(self._backbone), keys, picture)
        cache.fill("Finder: features")
        return cache


@torch.inference_mode()
def masks_seen(head: FinderHead, views: Sequence[Features]) -> NDArray[np.float16]:
    """Return the mean of what heads say of several views of one whole photo and of their mirror images.

    Args:
        head: says how likely each class is.
        views: the backbone's maps of each.

    Returns:
        ``(3, rows, columns)`` on the first view's grid.
    """
    said: list[Tensor] = []
    for features in views:
        maps = Maps(*(torch.from_numpy(level[None]).float() for level in features))
        plain, mirrored = (head(Maps(*m))["mask"].softmax(dim=1) for m in (maps, [x.flip(3) for x in maps]))
        mean = (plain + mirrored.flip(3)) / 2
        grid = said[0].shape[2:] if said else mean.shape[2:]
        said.append(functional.interpolate(mean, grid, mode="bilinear", align_corners=False))
    seen: NDArray[np.float16] = torch.stack(said).mean(dim=0)[0].numpy().astype(np.float16)
    return seen


def taught(truth: Truth, seen: NDArray[np.float16]) -> Truth:
    """Return a truth that tells, where no exact mask is known, what another finder says of the animal.

    Args:
        truth: what is known of a whole photo.
        seen: ``(3, rows, columns)`` what that finder says of it.  One that hardly sees the
            dog where a dog is teaches nothing.
    """
    if truth.animal is not None or (not truth.dog and not truth.heads):
        return truth  # the mask is known, or there is no animal
    if truth.bodies:
        rows, columns = (side // MASK_FACTOR for side in seen.shape[1:])
        within = mask_target(truth, rows, columns)[DOG].numpy()
        if seen[DOG][within].mean() < LEAST_SEEN:
            return truth
    return replace(truth, soft=seen)
