"""A folder of photos: speed against the networks alone, peak memory, and what going on costs.

What is timed is all that a folder takes: photos unpacked, read, and kept in an output
file as they come.  The networks' own throughput is that of a plain loop over ready
tensors of the same photos: for each photo one run of the finder, and one of the
classifier for each dog found, with all threads.  Block after block in turn; the ratio is
dogmood's photos per second over the networks'.  Peak memory is that of `dogmood read` on
the folder, as a process of its own.

Going on: `dogmood read --resume` on a folder of so many photos that are all done, as a
process of its own, over the same on a folder of one; with its peak memory.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import (
    DOGMOOD,
    Plain,
    Recorder,
    in_turn,
    model_of,
    peak_megabytes,
    print_line,
    process_seconds,
    ratios,
    rounded,
)
from PIL import Image

from dogmood import DogMood
from dogmood.bundle import Array, Network, open_bundle
from dogmood.classifier import Classifier
from dogmood.finder import Finder
from dogmood.folder import photos_of
from dogmood.reader import WORKERS
from dogmood.results import open_results

Tensors = tuple[list[Array], list[Array]]


class Bench:
    """A `DogMood` as a folder is read with, and its two networks by themselves."""

    def __init__(self, model: str, workers: int) -> None:
        bundle = open_bundle(model)
        self.workers = workers
        self.dogmood = DogMood(model, side_by_side=min(workers, WORKERS))
        self.finder, self.classifier = Plain(bundle.finder), Plain(bundle.classifier)
        self.dogs = 0
        self._finder, self._classifier = Recorder(Network(bundle.finder)), Recorder(Network(bundle.classifier))
        self._alone = DogMood(model)
        self._alone.finder = Finder(self._finder, self._alone.settings.finder)
        self._alone.classifier = Classifier(self._classifier, self._alone.settings.classifier)

    def tensors(self, photos: list[Path]) -> list[Tensors]:
        """Return what each photo gives the finder and the classifier."""
        taken = []
        for photo in photos:
            self.dogs += len(self._alone.read(photo).dogs)
            taken.append((self._finder.take(), self._classifier.take()))
        return taken

    def read(self, photos: list[Path]) -> float:
        """Return the photos per second of the whole path."""
        with tempfile.TemporaryDirectory() as place:
            start = time.perf_counter()
            with open_results(Path(place, "readings.jsonl")) as results:
                for reading in self.dogmood.read_many(photos, workers=self.workers):
                    results.write(reading)
            return len(photos) / (time.perf_counter() - start)

    def run(self, tensors: list[Tensors]) -> float:
        """Return the photos per second of the networks alone."""
        start = time.perf_counter()
        for finder, classifier in tensors:
            for batch in finder:
                self.finder(batch)
            for batch in classifier:
                self.classifier(batch)
        return len(tensors) / (time.perf_counter() - start)


def choose(folder: Path, count: int) -> list[Path]:
    """Return so many photos of a folder, going round again where it holds fewer."""
    found = [photo for photo in photos_of([folder]) if photo.problem is None]
    if not found:
        sys.exit(f"{folder} holds no photos.")
    return [photo.path for photo in itertools.islice(itertools.cycle(found), count)]


def peak_of_folder(photos: list[Path], model: str) -> float:
    """Return the peak memory in MB of `dogmood read` on a folder of these photos."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "photos")
        folder.mkdir()
        for i, photo in enumerate(photos):
            (folder / f"{i:04d}{photo.suffix}").symlink_to(photo.resolve())
        out = Path(place, "readings.jsonl")
        peak = peak_megabytes([DOGMOOD, "read", str(folder), "--out", str(out), "--quiet", "--model", model])
        written = out.read_text("utf-8").count("\n")
        if written != len(photos):
            sys.exit(f"{written} readings of {len(photos)} photos were written.")
        return peak


def resume(model: str, count: int, ending: str, photo: Path) -> tuple[float, float]:
    """Return seconds and peak memory in MB of going on with a run of so many photos that is done."""
    reading = DogMood(model).read(photo)
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place, "photos"), Path(place, f"readings{ending}")
        with open_results(out) as results:
            for i in range(count):
                name = folder / f"{i // 1000:03d}" / f"IMG_{i:06d}.jpg"
                if i % 1000 == 0:
                    name.parent.mkdir(parents=True)
                name.touch()
                results.write(replace(reading, source=str(name)))
        command = [DOGMOOD, "read", str(folder), "--out", str(out), "--resume", "--quiet", "--model", model]
        return process_seconds(command), peak_megabytes(command)


def measure_resume(model: str, count: int, photo: Path) -> None:
    for ending in (".jsonl", ".csv", ".parquet"):
        alone, _ = resume(model, 1, ending, photo)
        seconds, peak = resume(model, count, ending, photo)
        print_line(
            "resume",
            form=ending,
            photos_done=count,
            seconds=round(seconds, 3),
            seconds_with_one_photo=round(alone, 3),
            seconds_per_thousand=round((seconds - alone) / count * 1000, 4),
            peak_mb=round(peak, 1),
        )


def median_megapixels(photos: list[Path]) -> float:
    sizes = []
    for photo in set(photos):
        with Image.open(photo) as image:
            sizes.append(image.width * image.height / 1e6)
    return float(np.median(sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--count", type=int, default=500, help="how many photos")
    parser.add_argument("--block", type=int, default=50, help="photos between turns")
    parser.add_argument("--workers", type=int, default=WORKERS, help="photos unpacked side by side")
    parser.add_argument("--done", type=int, default=100_000, help="photos of a run that is gone on with; 0: none")
    options = parser.parse_args()

    photos = choose(options.photos, options.count)
    peak = peak_of_folder(photos, options.model)
    bench = Bench(options.model, options.workers)
    blocks = [photos[at : at + options.block] for at in range(0, len(photos), options.block)]
    bench.read(blocks[0])
    # The tensors are made before `run` starts its clock.
    read, alone = in_turn(lambda i: bench.read(blocks[i]), lambda i: bench.run(bench.tensors(blocks[i])), len(blocks))
    print_line(
        "folder",
        **ratios(read, alone),
        aim="at least 0.9",
        photos=len(photos),
        different=len(set(photos)),
        median_megapixels=round(median_megapixels(photos), 3),
        dogs=bench.dogs,
        block=options.block,
        workers=options.workers,
        dogmood_photos_per_s=rounded(read),
        networks_photos_per_s=rounded(alone),
        peak_mb=round(peak, 1),
        peak_aim_mb="under 900",
        model=model_of(bench.dogmood),
    )
    if options.done:
        measure_resume(options.model, options.done, photos[0])


if __name__ == "__main__":
    main()
