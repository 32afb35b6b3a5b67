"""A model under test, and what it says of the dog that a photo is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogmood.bundle import Bundle, Network
from dogmood.card import read_settings
from dogmood.classifier import Classifier, Evidence
from dogmood.doubt import Doubt, probabilities_of
from dogmood.emotions import EMOTIONS
from dogmood.finder import Finder
from dogmood.lab.dogs import largest
from dogmood.lab.explain.probe import Answer, Probe
from dogmood.lab.explain.sanity import randomised
from dogmood.lab.finder_metrics import eager
from dogmood.photo import open_photo
from dogmood.saliency import densities

SEEDS = (0, 1, 2, 3, 4)
"""Of the randomised networks."""

Map = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subject:
    """A photo, its dog, and the map of the emotion that was read.

    Attributes:
        probe: asks the classifier.
        mask: the finder's mask.
        logits: ``(5,)``.
        emotion: the one that was read.
        evidence: of the photo as it is.
        emotions: those that the model tells apart.
        doubt: its calibration.
    """

    probe: Probe
    mask: Map
    logits: NDArray[np.float32]
    emotion: str
    evidence: Evidence
    emotions: tuple[str, ...]
    doubt: Doubt

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photo in pixels."""
        height, width = self.probe.pixels.shape[:2]
        return width, height

    @property
    def saliency(self) -> Map:
        """``(rows, columns)``, at least 0: the map of the emotion that was read, as a reading shows it."""
        return self.map_of([self.evidence])

    def map_of(self, evidence: Sequence[Evidence], emotion: str | None = None) -> Map:
        """Return an emotion's map, at least 0: of that which was read unless another is named."""
        signed = densities(evidence, *self.size, self.emotions)
        result: Map = np.maximum(signed[self.emotions.index(emotion or self.emotion)], 0)
        return result

    def centred(self, evidence: Evidence) -> Map:
        """Return ``(views, emotions, rows, columns)``: what cells say for an emotion more than for the others."""
        maps = evidence.maps[:, [EMOTIONS.index(emotion) for emotion in self.emotions]]
        result: Map = maps - maps.mean(axis=1, keepdims=True)
        return result

    @property
    def probability(self) -> Answer:
        """Says the calibrated probability of the emotion that was read."""
        return lambda photos: self.calibrated(self.probe.ask(photos)[0])

    @property
    def margin(self) -> Answer:
        """Says how far the logit of the emotion that was read is above the mean of all."""
        return self.probe.margin(EMOTIONS.index(self.emotion), [EMOTIONS.index(e) for e in self.emotions])

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability ``(n,)`` of the emotion that was read, given logits ``(n, 5)``."""
        probabilities = probabilities_of(logits, self.doubt, self.emotions)
        result: NDArray[np.float64] = probabilities[:, self.emotions.index(self.emotion)]
        return result

    def read(self, logits: NDArray[np.float32]) -> str:
        """Return the emotion that logits ``(5,)`` mean."""
        return max(self.emotions, key=lambda emotion: float(logits[EMOTIONS.index(emotion)]))

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
        self.emotions = tuple(bundle.card.get("emotions", EMOTIONS))
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
        emotion = max(self.emotions, key=lambda name: float(logits[EMOTIONS.index(name)]))
        return Subject(probe, found.mask, logits, emotion, evidence, self.emotions, self.settings.doubt)

    def look_closer(self, subject: Subject) -> tuple[Evidence, ...]:
        """Return what closer crops of the same dog say, as fine maps take it in."""
        return self._closer.look_closer(subject.probe.pixels, subject.probe.dog)

    def look_without_knowledge(self, subject: Subject) -> list[Evidence]:
        """Return what each of the randomised networks says of the same dog."""
        if not self._randomised:
            self._randomised = [Network(randomised(self._graph, seed)) for seed in SEEDS]
        probes = (
            Probe(network, self.settings.classifier, subject.probe.pixels, subject.probe.dog)
            for network in self._randomised
        )
        return [probe.evidence()[1] for probe in probes]
