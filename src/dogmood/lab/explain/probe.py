"""A classifier asked about one dog in one photo, again and again, with parts of the photo changed.

Everything here needs answers alone, no gradients: it works on any model file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box, clipped
from dogmood.classifier import ClassifierSettings, Evidence
from dogmood.crop import cut
from dogmood.finder import FoundDog
from dogmood.photo import Pixels

Net = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
"""Takes ``(n, views, 3, side, side)`` in [0, 1]; returns logits and maps."""

Answer = Callable[[Sequence[Pixels]], NDArray[np.float64]]
"""Takes photos that differ from one another in their pixels alone; returns a number for each."""

_BATCH = 8


class Probe:
    """One dog in one photo, as one classifier sees it.

    Args:
        network: the classifier.
        settings: what it wants to be shown.
        pixels: ``(h, w, 3)`` uint8 RGB: the photo.
        dog: where the dog is; every changed photo is cut where this one is.
    """

    def __init__(self, network: Net, settings: ClassifierSettings, pixels: Pixels, dog: FoundDog) -> None:
        self.pixels = pixels
        self.dog = dog
        height, width = pixels.shape[:2]
        self.squares = tuple(view.square(dog, width, height) for view in settings.views)
        self._network = network
        self._side = settings.side

    def ask(self, photos: Sequence[Pixels]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits ``(n, 5)`` and maps ``(n, views, 5, rows, columns)`` of changed photos."""
        logits, maps = [], []
        for start in range(0, len(photos), _BATCH):
            some = photos[start : start + _BATCH]
            views = np.stack([[cut(photo, square, self._side) for square in self.squares] for photo in some])
            batch = np.ascontiguousarray(views.transpose(0, 1, 4, 2, 3), np.float32) / np.float32(255)
            answered = self._network(batch)
            logits.append(answered[0])
            maps.append(answered[1])
        return np.concatenate(logits), np.concatenate(maps)

    def evidence(self) -> tuple[NDArray[np.float32], Evidence]:
        """Return the logits ``(5,)`` of the photo as it is, and their maps."""
        logits, maps = self.ask([self.pixels])
        return logits[0], Evidence(self.squares, maps[0])

    def margin(self, emotion: int, among: Sequence[int]) -> Answer:
        """Return a function that says how far an emotion's logit is above the mean of several.

        It is what a map shows the parts of.
        """

        def margins(photos: Sequence[Pixels]) -> NDArray[np.float64]:
            logits = self.ask(photos)[0].astype(np.float64)
            result: NDArray[np.float64] = logits[:, emotion] - logits[:, list(among)].mean(axis=1)
            return result

        return margins

    def shown(self) -> Box:
        """Return the box about all views, clipped to the photo: nothing outside it can matter."""
        height, width = self.pixels.shape[:2]
        x0, y0, x1, y1 = zip(*(square.box for square in self.squares), strict=True)
        return clipped((min(x0), min(y0), max(x1), max(y1)), width, height)
