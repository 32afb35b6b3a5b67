"""The two lessons of the finder: whole photos, and then every guise of them with masks of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dogmood.finder import FinderSettings
from dogmood.lab.features import FeatureCache, weights_digest
from dogmood.lab.finder_views import FinderPhoto, View, shown
from dogmood.lab.nets.finder import FinderHead
from dogmood.lab.nets.lite import LiteBackbone
from dogmood.lab.train_finder import Example, masks_seen, taught


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
            examples.append(Example(maps, view.of(known[i], *self.photos[i].size)))
        return examples

    def _whole(self, side: int) -> FeatureCache:
        return self._features(self.photos, [View(side)] * len(self.photos))

    def _features(self, photos: Sequence[FinderPhoto], views: Sequence[View]) -> FeatureCache:
        keys, picture = shown(photos, views)
        cache = FeatureCache(self._work / "features", self._backbone, weights_digest(self._backbone), keys, picture)
        cache.fill("Finder: features")
        return cache
