"""The whole path of one photo, from file to reading, on one page.

photo -> pixels -> dogs -> crops -> probabilities -> doubt -> (where it looked) -> reading
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import scaled
from dogmood.bundle import Bundle, Network, open_bundle
from dogmood.card import Settings, read_settings
from dogmood.classifier import Classifier, Scores
from dogmood.doubt import judge, judge_probabilities
from dogmood.emotions import EMOTIONS, parse_emotions
from dogmood.errors import PhotoError, UsageError
from dogmood.finder import Finder, FoundDog
from dogmood.in_order import in_order
from dogmood.photo import Photo, PhotoSource, open_photo, source_name
from dogmood.reading import DogReading, ModelInfo, Reading

Map: TypeAlias = NDArray[np.float32]
LookedAt: TypeAlias = dict[str, dict[str, float]]

EXPLAIN_QUALITIES = ("quick", "fine")

_AHEAD = 2
"""How many photos a worker unpacks ahead of what is asked of `DogMood.read_many`: what
is in memory does not grow with the number of photos."""

WORKERS = max(1, min(4, os.cpu_count() or 1))
"""How many photos are unpacked side by side unless told otherwise."""


class DogMood:
    """Reads the emotion that dogs visibly show in photos.

    Args:
        model: the name of a shipped model, or the path of a ``.dogmood`` file.
        emotions: the emotions to choose from; the others' probability is shared
            out among them.  Names and aliases, as a list or separated by commas.
        ten_crop: average ten crops of each dog: about ten times the work on the
            classifier, slightly steadier probabilities.
        threads: how many to compute with; 0 takes all cores.
        explain_quality: where maps are asked for, ``quick`` takes them from the pass
            that made the reading; ``fine`` adds nine closer crops of each dog, for
            about ten times the work on the classifier.  Readings are the same.
        side_by_side: how many photos `read_many`, and frames of a video, are read at once.
            They share the threads: many photos are read sooner that way, a single one
            later.  Readings are the same.

    Raises:
        ModelError: the model is absent, damaged or foreign.
        UsageError: an emotion is unknown, or one that the model does not tell apart;
            the quality is unknown; or fewer than one photo is to be read at once.
    """

    def __init__(
        self,
        model: str | Path = "base",
        emotions: str | Iterable[str] = EMOTIONS,
        ten_crop: bool = False,
        threads: int = 0,
        explain_quality: str = "quick",
        side_by_side: int = 1,
    ) -> None:
        if explain_quality not in EXPLAIN_QUALITIES:
            known = " or ".join(EXPLAIN_QUALITIES)
            raise UsageError(f"There is no explain quality {explain_quality!r}: choose {known}.")
        if side_by_side < 1:
            raise UsageError(f"At least one photo is read at once, not {side_by_side}.")
        bundle: Bundle = open_bundle(model)
        self._known = tuple(bundle.card.get("emotions", EMOTIONS))
        self.emotions = _told_apart(bundle.name, self._known, parse_emotions(emotions))
        self.model = ModelInfo(bundle.name, bundle.version, bundle.sha256)
        self.settings: Settings = read_settings(bundle.card)
        if side_by_side > 1:
            # Each photo brings a thread of its own; those of the networks are what is left.
            threads = max(1, (threads or os.cpu_count() or 1) - side_by_side + 1)
        # Side by side: each takes a core, and a first reading should not wait for both.
        with ThreadPoolExecutor(max_workers=2) as loading:
            # A start is quicker without a look at graphs that a test has looked at.
            finder, classifier = loading.map(
                lambda graph: Network(graph, threads, check=not bundle.shipped), (bundle.finder, bundle.classifier)
            )
        self.finder = Finder(finder, self.settings.finder)
        self.classifier = Classifier(classifier, self.settings.classifier)
        self._ten_crop = ten_crop
        self._fine = explain_quality == "fine"
        self.side_by_side = side_by_side

    def choosing(self, emotions: str | Iterable[str]) -> DogMood:
        """Return a reader with the same loaded networks that chooses among other emotions.

        Args:
            emotions: names and aliases, as a list or separated by commas.

        Raises:
            UsageError: an emotion is unknown, or one that the model does not tell apart.
        """
        other = copy.copy(self)
        other.emotions = _told_apart(self.model.name, self._known, parse_emotions(emotions))
        return other

    def read(self, image: PhotoSource, explain: bool = False) -> Reading:
        """Read one photo.

        Args:
            image: a path, the bytes of a picture file, a PIL image, or an array
                ``(h, w, 3)`` uint8 RGB.
            explain: also say where the network looked (`DogReading.saliency`, and in
                words `DogReading.looked_at`).

        Raises:
            PhotoError: the photo cannot be read.
        """
        return self.read_photo(open_photo(image), explain)

    def read_many(
        self, images: Iterable[PhotoSource], explain: bool = False, workers: int = WORKERS
    ) -> Iterator[Reading]:
        """Read photos, unpacking and reading the next ones meanwhile.

        Args:
            images: as many as there are; they are asked for as they are needed.
            explain: also say where the network looked.
            workers: how many photos are unpacked side by side, at least 1.

        Yields:
            One reading an image, in order.  A photo that cannot be read becomes a
            reading with status ``unreadable``; it does not stop the others.
        """
        for _, reading in self.read_with_photos(images, explain, workers):
            yield reading

    def read_with_photos(
        self,
        images: Iterable[PhotoSource],
        explain: bool = False,
        workers: int = WORKERS,
        opened: Callable[[PhotoSource], Photo] = open_photo,
    ) -> Iterator[tuple[Photo | None, Reading]]:
        """Do as `read_many`, and hand each opened photo on with its reading.

        Args:
            images: as for `read_many`.
            explain: likewise.
            workers: likewise.
            opened: opens an image, or raises `PhotoError`; called side by side.
        """
        with ThreadPoolExecutor(workers) as unpacking, ThreadPoolExecutor(self.side_by_side) as reading:

            def begin(image: PhotoSource) -> Future[tuple[Photo | None, Reading]]:
                return reading.submit(self._finish, source_name(image), unpacking.submit(opened, image), explain)

            try:
                for _, read in in_order(begin, images, _AHEAD * workers):
                    yield read
            finally:
                for threads in (unpacking, reading):
                    threads.shutdown(wait=False, cancel_futures=True)

    def read_photo(self, photo: Photo, explain: bool = False) -> Reading:
        """Read a photo that is already open."""
        found = self.finder.find(photo.pixels)
        mask = found.mask if explain else None
        dogs = tuple(self._read_dog(photo, number, dog, mask) for number, dog in enumerate(found.dogs, start=1))
        return Reading(
            source=photo.source,
            status="read" if dogs else "no_dog",
            width=photo.width,
            height=photo.height,
            model=self.model,
            dogs=dogs,
            mask=found.mask,
            taken=photo.taken,
        )

    def judged_anew(self, dog: DogReading, probabilities: Mapping[str, float]) -> DogReading:
        """Return a dog with other probabilities and all that follows from them.

        Args:
            dog: what was read.
            probabilities: of the same emotions; they sum to 1.
        """
        verdict = judge_probabilities(probabilities, self.settings.doubt)
        return replace(
            dog,
            emotion=verdict.emotion,
            probability=verdict.probabilities[verdict.emotion],
            probabilities=verdict.probabilities,
            sure=verdict.sure,
            possible=verdict.possible,
        )

    def unreadable(self, source: str, reason: str) -> Reading:
        """Return the reading of a photo that cannot be read."""
        return Reading(source, "unreadable", 0, 0, self.model, reason=reason)

    def _read_dog(self, photo: Photo, number: int, dog: FoundDog, mask: Map | None) -> DogReading:
        """Read one dog; where a mask is given, also say where the network looked."""
        scores = self.classifier.classify(photo.pixels, dog, self._ten_crop)
        verdict = judge(scores.logits, self.settings.doubt, self.emotions)
        saliency, looked_at = (None, None) if mask is None else self._explain(photo, dog, mask, scores)
        return DogReading(
            dog=number,
            box=scaled(dog.box, *photo.scale),
            head=None if dog.head is None else scaled(dog.head, *photo.scale),
            presence=dog.presence,
            emotion=verdict.emotion,
            probability=verdict.probabilities[verdict.emotion],
            probabilities=verdict.probabilities,
            sure=verdict.sure,
            possible=verdict.possible,
            saliency=saliency,
            looked_at=looked_at,
        )

    def _explain(self, photo: Photo, dog: FoundDog, mask: Map, scores: Scores) -> tuple[dict[str, Map], LookedAt]:
        from dogmood.regions import divide, shares_of
        from dogmood.saliency import saliency_maps

        height, width = photo.pixels.shape[:2]
        closer = self.classifier.look_closer(photo.pixels, dog) if self._fine else ()
        maps = saliency_maps((*scores.evidence, *closer), width, height, self.emotions)
        return maps, shares_of(maps, divide(maps[self.emotions[0]].shape, width, height, dog, mask))

    def _finish(self, source: str, opening: Future[Photo], explain: bool) -> tuple[Photo | None, Reading]:
        try:
            photo = opening.result()
        except PhotoError as error:
            return None, self.unreadable(source, str(error))
        return photo, self.read_photo(photo, explain)


def _told_apart(model: str, known: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the wanted emotions, or all that the model knows where all five are wanted."""
    if wanted == EMOTIONS:
        return known
    if not set(wanted) <= set(known):
        raise UsageError(f"The model {model} tells apart {', '.join(known)} only: choose from these.")
    return wanted
