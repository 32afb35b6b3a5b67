"""Which emotion a dog shows, and how much each part of the picture spoke for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box
from dogmood.bundle import Network, checked, other_form
from dogmood.crop import Square, closer_squares, cut, square_around, ten_squares
from dogmood.emotions import EMOTIONS
from dogmood.errors import ModelError
from dogmood.finder import FoundDog
from dogmood.photo import Pixels


@dataclass(frozen=True)
class View:
    """A cut that the classifier is shown: of the ``body``, the ``head`` or the ``photo``.

    Attributes:
        of: what is cut; where no head was found, the body stands in.
        expand: the square's side over the box's longer side.
    """

    of: str
    expand: float

    def __post_init__(self) -> None:
        """Refuse a cut of something else."""
        if self.of not in ("body", "head", "photo"):
            raise ValueError(f"no cut of {self.of!r} is known")

    def square(self, dog: FoundDog, width: int, height: int) -> Square:
        """Return where to cut for a dog in a photo of that size."""
        boxes: dict[str, Box] = {
            "body": dog.box,
            "head": dog.head or dog.box,
            "photo": (0.0, 0.0, float(width), float(height)),
        }
        return square_around(boxes[self.of], self.expand)


@dataclass(frozen=True)
class ClassifierSettings:
    """What the classifier is shown: part of every model's card.

    Attributes:
        side: the input's side in pixels.
        views: the cuts, in the order the network takes them.
    """

    side: int
    views: tuple[View, ...]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one pass of the network says of one cut of a dog.

    Attributes:
        squares: where each view was cut, in photo pixels.
        maps: ``(views, 5, rows, columns)``: what each cell adds to each logit
            (class-activation maps, Zhou et al. 2016, arXiv:1512.04150); summed over
            views and cells they are the logits, but for a constant.
    """

    squares: tuple[Square, ...]
    maps: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scores:
    """The classifier's answer for a dog.

    Attributes:
        logits: ``(5,)`` in the order of the emotions.
        evidence: one item a crop: one, or ten.
    """

    logits: NDArray[np.float32]
    evidence: tuple[Evidence, ...]


class Classifier:
    """The second network of a model: takes a dog, returns its emotion's scores.

    Args:
        network: takes ``(n, views, 3, side, side)``, returns logits and maps.
        settings: what the network wants to be shown.
    """

    def __init__(self, network: Network, settings: ClassifierSettings) -> None:
        self.settings = settings
        self._network = network

    def classify(self, pixels: Pixels, dog: FoundDog, ten_crop: bool = False) -> Scores:
        """Return the scores of one dog.

        A dog is always one batch of its own: batches of several dogs would gain
        nothing on a processor, and the last digits would depend on the company.

        Args:
            pixels: ``(h, w, 3)`` uint8 RGB: the photo.
            dog: where it is in those pixels.
            ten_crop: average over corners, middle and their mirror images.

        Raises:
            ModelError: the network is not a classifier's.
        """
        height, width = pixels.shape[:2]
        whole = tuple(view.square(dog, width, height) for view in self.settings.views)
        if not ten_crop:
            logits, maps = self._answer([self._cut(pixels, whole)])
            return Scores(logits[0], (Evidence(whole, maps[0]),))
        places = list(zip(*(ten_squares(square) for square in whole), strict=True))
        crops = [self._cut(pixels, squares) for squares in places]
        mirrored = [[crop[:, ::-1] for crop in views] for views in crops]
        logits, maps = self._answer(crops + mirrored)
        maps[len(places) :] = maps[len(places) :, ..., ::-1]
        evidence = [Evidence(squares, m) for squares, m in zip(places + places, maps, strict=True)]
        return Scores(logits.mean(axis=0), tuple(evidence))

    def look_closer(self, pixels: Pixels, dog: FoundDog) -> tuple[Evidence, ...]:
        """Return the evidence of nine closer crops of each view, for a sharper map.

        A cell of a closer crop covers less of the dog, and the nine lie at different
        places, so that together they say more exactly where the evidence is.  They
        leave the scores alone: asking for a better map never changes a reading.
        """
        height, width = pixels.shape[:2]
        views = [view.square(dog, width, height) for view in self.settings.views]
        places = list(zip(*(closer_squares(square) for square in views), strict=True))
        _, maps = self._answer([self._cut(pixels, squares) for squares in places])
        return tuple(Evidence(squares, m) for squares, m in zip(places, maps, strict=True))

    def _answer(self, crops: list[list[Pixels]]) -> list[NDArray[np.float32]]:
        """Return logits ``(n, 5)`` and maps ``(n, views, 5, rows, columns)``."""
        outputs = checked(self._network(_stack(crops)), 2, 5)
        if outputs[1].shape[:3] != (len(crops), len(self.settings.views), len(EMOTIONS)):
            raise other_form()
        if outputs[0].shape != (len(crops), len(EMOTIONS)):
            raise ModelError("The model's classifier does not answer with five emotions; get its file again.")
        return outputs

    def _cut(self, pixels: Pixels, squares: tuple[Square, ...]) -> list[Pixels]:
        return [cut(pixels, square, self.settings.side) for square in squares]


def _stack(crops: list[list[Pixels]]) -> NDArray[np.float32]:
    """Return ``(n, views, 3, side, side)`` float32 in [0, 1]."""
    stacked = np.stack([np.stack(views) for views in crops]).astype(np.float32)
    return np.ascontiguousarray(stacked.transpose(0, 1, 4, 2, 3)) / np.float32(255)
