"""A model under test, and what it says of the dog that a photo is about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogmood.bundle import Bundle, Network
from dogmood.card import read_settings
from dogmood.classifier import Classifier, Evidence
from dogmood.doubt import softmax
from dogmood.finder import Finder
from dogmood.lab.dogs import largest
from dogmood.lab.explain.probe import Answer, Probe
from dogmood.lab.explain.sanity import randomised
from dogmood.lab.finder_metrics import eager
from dogmood.photo import open_photo
from dogmood.saliency import densities

SEEDS = (0, 1, 2)
"""Of the randomised networks."""

Map = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subject:
    """A photo, its dog, and the map of the emotion that was read.

    Attributes:
        probe: asks the classifier.
        mask: the finder's mask.
        logits: ``(5,)``.
        emotion: index of the highest one.
        evidence: of the photo as it is.
        density: ``(5, rows, columns)``: signed maps.
        temperature: of the model's calibration.
    """

    probe: Probe
    mask: Map
    logits: NDArray[np.float32]
    emotion: int
    evidence: Evidence
    density: Map
    temperature: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photo in pixels."""
        height, width = self.probe.pixels.shape[:2]
        return width, height

    @property
    def saliency(self) -> Map:
        """``(rows, columns)``, at least 0: the map of the emotion that was read, as a reading shows it."""
        result: Map = np.maximum(self.density[self.emotion], 0)
        return result

    @property
    def probability(self) -> Answer:
        """Says the calibrated probability of the emotion that was read."""
        return lambda photos: self.calibrated(self.probe.ask(photos)[0])[:, self.emotion]

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities ``(n, 5)`` that logits mean."""
        return softmax(logits.astype(np.float64) / self.temperature)

    def in_shown(self, saliency: Map) -> Map:
        """Return the part of a map that the classifier was shown."""
        rows, columns = saliency.shape
        width, height = self.size
        x0, y0, x1, y1 = self.probe.shown()
        left, right = round(x0 * columns / width), round(x1 * columns / width)
        up, down = round(y0 * rows / height), round(y1 * rows / height)
        return saliency[up : max(down, up + 1), left : max(right, left + 1)]


class Model:
    """The two networks of a model file, and its classifier with its weights mixed up."""

    def __init__(self, bundle: Bundle) -> None:
        self.settings = read_settings(bundle.card)
        self._finder = Finder(Network(bundle.finder), eager(self.settings.finder))
        self._classifier = Network(bundle.classifier)
        self._closer = Classifier(self._classifier, self.settings.classifier)
        self._graph = bundle.classifier
        self._randomised: list[Network] = []

    def look(self, path: Path) -> Subject:
        """Return what the model says of the largest dog in a photo."""
        pixels = open_photo(path).pixels
        found = self._finder.find(pixels)
        probe = Probe(self._classifier, self.settings.classifier, pixels, largest(found.dogs))
        logits, evidence = probe.evidence()
        height, width = pixels.shape[:2]
        density = densities([evidence], width, height)
        emotion = int(logits.argmax())
        return Subject(probe, found.mask, logits, emotion, evidence, density, self.settings.doubt.temperature)

    def look_closer(self, subject: Subject) -> tuple[Evidence, ...]:
        """Return what closer crops of the same dog say, as fine maps take it in."""
        return self._closer.look_closer(subject.probe.pixels, subject.probe.dog)

    def look_without_knowledge(self, subject: Subject) -> list[Map]:
        """Return the map of the same emotion by each of the randomised networks, signed."""
        if not self._randomised:
            self._randomised = [Network(randomised(self._graph, seed)) for seed in SEEDS]
        maps = []
        for network in self._randomised:
            probe = Probe(network, self.settings.classifier, subject.probe.pixels, subject.probe.dog)
            maps.append(densities([probe.evidence()[1]], *subject.size)[subject.emotion])
        return maps
