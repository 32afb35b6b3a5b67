"""What all are measured on: the photos, a person in the same sizes, and the networks' tensors."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from folder import Bench, median_megapixels
from PIL import Image, ImageOps

from dogmood.bundle import open_bundle
from race.candidates import MODELS

QUALITY = 90
"""Of the JPEG files with a person."""


@dataclass
class Course:
    """What is measured on: photos and tensors in a folder.

    Attributes:
        place: the folder; what lies in it, `race/readers.py` says.
        names: of the photos.
        megapixels: of the photos, the median.
        dogs: how many each model finds in all of them.
        shapes: for each model the shapes that each photo gives each network.
        people: why there is no photo of a person, if there is none.
        singles: how many photos of a round are read one by one.
        block: how many of it are read in one go.
    """

    place: Path
    names: list[str]
    megapixels: float
    singles: int
    block: int
    dogs: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, dict[str, list[tuple[str, tuple[int, ...]]]]] = field(default_factory=dict)
    people: str = ""

    def of_round(self, number: int) -> tuple[list[str], list[str]]:
        """Return the names of a round's photos, those for one by one and those for one go."""
        start = number * (self.singles + self.block)
        middle = start + self.singles
        return self.names[start:middle], self.names[middle : middle + self.block]


def lay_out(place: Path, photos: list[Path], singles: int, block: int) -> Course:
    """Put photos, people and tensors where the candidates look for them."""
    names = [f"{i:04d}" for i in range(len(photos))]
    course = Course(place, names, median_megapixels(photos), singles, block)
    for folder in ("dogs", "people"):
        (place / folder).mkdir()
    person = portrait()
    if person is None:
        course.people = "there is no photo of a person: pip install --no-deps scikit-image==0.26.0"
    for i, (name, photo) in enumerate(zip(course.names, photos, strict=True)):
        with Image.open(photo) as image:
            size = image.size
            # A file of the same kind for all, whatever the photo was.
            if image.format == "JPEG":
                (place / "dogs" / f"{name}.jpg").symlink_to(photo.resolve())
            else:
                image.convert("RGB").save(place / "dogs" / f"{name}.jpg", quality=QUALITY)
        if person is not None:
            fitted = ImageOps.fit(person, size, centering=(0.5, 0.0))
            (ImageOps.mirror(fitted) if i % 2 else fitted).save(place / "people" / f"{name}.jpg", quality=QUALITY)
    for model in MODELS:
        write_tensors(course, model)
    return course


def portrait() -> Image.Image | None:
    """Return the portrait of Eileen Collins (NASA, public domain) that the scikit-image wheel carries."""
    spec = importlib.util.find_spec("skimage")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (file := Path(folder, "data/astronaut.png")).is_file():
            with Image.open(file) as image:
                return image.convert("RGB")
    return None


def write_tensors(course: Course, model: str) -> None:
    """Write a model's graphs, and what each photo gives them."""
    networks, tensors = course.place / f"networks-{model}", course.place / f"tensors-{model}"
    bundle = open_bundle(model)
    networks.mkdir()
    (networks / "finder.onnx").write_bytes(bundle.finder)
    (networks / "classifier.onnx").write_bytes(bundle.classifier)
    tensors.mkdir()
    bench = Bench(model, workers=1)
    taken = bench.tensors([course.place / "dogs" / f"{name}.jpg" for name in course.names])
    course.dogs[model], course.shapes[model] = bench.dogs, {}
    for name, (finder, classifier) in zip(course.names, taken, strict=True):
        batches = {f"finder-{i}": batch for i, batch in enumerate(finder)}
        batches |= {f"classifier-{i}": batch for i, batch in enumerate(classifier)}
        np.savez(tensors / f"{name}.npz", **batches)
        course.shapes[model][name] = [(key.partition("-")[0], batch.shape) for key, batch in batches.items()]
