"""The dog that a labelled photo is about, and how it is cut for training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from dogmood.boxes import area
from dogmood.classifier import ClassifierSettings
from dogmood.crop import Square, cut
from dogmood.finder import Finder, FoundDog
from dogmood.lab.progress import track
from dogmood.photo import Pixels, open_photo

VARIANTS = 4
"""Plain, mirrored, jittered, and mirrored with another jitter."""


@dataclass(frozen=True)
class Subject:
    """A photo and the dog in it that its label is about."""

    path: Path
    dog: FoundDog


def largest(dogs: Sequence[FoundDog]) -> FoundDog:
    """Return the largest, clearest dog: the one a label is about."""
    return max(dogs, key=lambda dog: area(dog.box) * dog.presence)


def subjects(finder: Finder, paths: Sequence[Path]) -> list[Subject]:
    """Find the dog of each labelled photo.

    Args:
        finder: with settings under which every photo yields its likeliest dog, since
            labelled photos are known to show one.
        paths: the photos.
    """
    found = []
    for path in track(paths, "Finding dogs"):
        found.append(Subject(path, largest(finder.find(open_photo(path).pixels).dogs)))
    return found


def variant_key(subject: Subject, settings: ClassifierSettings, variant: int) -> str:
    """Return a string that names one variant of one photo's cuts."""
    sha = hashlib.sha256(subject.path.read_bytes()).hexdigest()
    return f"{sha} {subject.dog.box} {subject.dog.head} {settings} {variant}"


def cut_variant(subject: Subject, settings: ClassifierSettings, variant: int) -> list[Pixels]:
    """Return the views of a dog, plain (0), mirrored (1) or also jittered (2 and up).

    The jitter is drawn from the photo's name and the variant, so that it is the
    same in every run.
    """
    pixels = open_photo(subject.path).pixels
    height, width = pixels.shape[:2]
    squares = [view.square(subject.dog, width, height) for view in settings.views]
    if variant >= 2:
        seed = int(hashlib.sha256(f"{subject.path.name} {variant}".encode()).hexdigest()[:8], 16)
        random = np.random.default_rng(seed)
        squares = [_jittered(square, random) for square in squares]
        pixels = _recoloured(pixels, random)
    views = [cut(pixels, square, settings.side) for square in squares]
    return [np.ascontiguousarray(view[:, ::-1]) for view in views] if variant % 2 else views


def _jittered(square: Square, random: np.random.Generator) -> Square:
    side = square.side * random.uniform(0.8, 1.2)
    x, y = random.uniform(-0.08, 0.08, size=2) * square.side
    rest = (square.side - side) / 2
    return Square(square.x0 + x + rest, square.y0 + y + rest, side)


def _recoloured(pixels: Pixels, random: np.random.Generator) -> Pixels:
    image = Image.fromarray(pixels)
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = change(image).enhance(random.uniform(0.7, 1.3))
    if random.random() < 0.25:
        image = image.convert("L").convert("RGB")
    if random.random() < 0.25:  # as small as a dog far away
        width, height = image.size
        share = random.uniform(0.3, 0.7)
        image = image.resize((max(1, int(width * share)), max(1, int(height * share)))).resize((width, height))
    return np.asarray(image)
