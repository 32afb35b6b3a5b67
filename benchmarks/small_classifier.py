"""What `fast` costs beside `base`, and beside a network that gives one label to a whole small picture.

The small network has the form of YOLOv8n-cls, built here from its published table of
layers (stem and four stages of 16 to 256 channels, 2.7 million weights with ImageNet's
1,000 labels), with random weights, which the time does not depend on: it looks at one
picture of 224 x 224 pixels.  `fast` looks for dogs in the photo, and at two cuts of each
dog.  All lie in onnxruntime with the same number of threads, the small network as one loop
runs it soonest; block after block in turn.

Needs torch (`pip install -e '.[lab]'`), to build the small network.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from common import Plain, Recorder, in_turn, model_of, print_line, ratios, rounded
from folder import choose
from torch import Tensor, nn

from dogmood import DogMood
from dogmood.bundle import Array, Network, open_bundle
from dogmood.card import read_settings
from dogmood.classifier import Classifier
from dogmood.finder import Finder
from dogmood.lab.export import to_onnx
from dogmood.photo import open_photo

SIDE = 224
STAGES = ((32, 1), (64, 2), (128, 2), (256, 1))
"""Channels of each stage, and how many bottlenecks it has."""

LABELS = 4


def conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.SiLU()
    )


class Stage(nn.Module):
    """Splits its channels, and keeps what each bottleneck makes of the second half."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        half = channels // 2
        self.enter, self.leave = conv(channels, channels), conv((2 + depth) * half, channels)
        self.bottlenecks = nn.ModuleList(nn.Sequential(conv(half, half, 3), conv(half, half, 3)) for _ in range(depth))

    def forward(self, cells: Tensor) -> Tensor:
        parts = list(self.enter(cells).chunk(2, 1))
        for bottleneck in self.bottlenecks:
            parts.append(parts[-1] + bottleneck(parts[-1]))
        left: Tensor = self.leave(torch.cat(parts, 1))
        return left


def small_classifier(labels: int = LABELS) -> nn.Sequential:
    layers: list[nn.Module] = [conv(3, 16, 3, 2)]
    channels = 16
    for outputs, depth in STAGES:
        layers += [conv(channels, outputs, 3, 2), Stage(outputs, depth)]
        channels = outputs
    return nn.Sequential(*layers, conv(channels, 1280), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, labels))


class Bench:
    """The networks of `fast`, and the batches that photos give them."""

    def __init__(self, photos: Sequence[Path], threads: int) -> None:
        self.dogmood = {name: DogMood(name, threads=threads) for name in ("fast", "base")}
        bundle = open_bundle("fast")
        settings = read_settings(bundle.card)
        self.finder, self.classifier = (Network(graph, threads) for graph in (bundle.finder, bundle.classifier))
        finder, classifier = Recorder(self.finder), Recorder(self.classifier)
        looking, reading = Finder(finder, settings.finder), Classifier(classifier, settings.classifier)
        self.photos = []
        for path in photos:
            pixels = open_photo(path).pixels
            if dogs := looking.find(pixels).dogs:
                reading.classify(pixels, dogs[0])
                self.photos.append(path)
            else:
                finder.take()
        self.found, self.read = finder.take(), classifier.take()
        example = torch.rand(1, 3, SIDE, SIDE)
        self.small = Plain(to_onnx(small_classifier().eval(), example, ["labels"], {}, "full"), threads)
        self.pictures = [np.random.default_rng(0).random((1, 3, SIDE, SIDE), np.float32)] * len(self.photos)

    def over(self, network: Callable[[Array], object], batches: Sequence[Array]) -> Callable[[int], float]:
        """Return what says the seconds that a network takes for one batch."""
        return lambda _: timed(lambda: [network(batch) for batch in batches]) / len(batches)

    def reading(self, model: str) -> Callable[[int], float]:
        """Return what says the seconds that a whole reading of a photo takes."""
        read = self.dogmood[model].read
        return lambda _: timed(lambda: [read(path) for path in self.photos]) / len(self.photos)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos of dogs")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    bench = Bench(choose(options.photos, options.count), options.threads)
    small = bench.over(bench.small, bench.pictures)
    pairs = {
        "fast over base, a whole reading": (bench.reading("fast"), bench.reading("base")),
        "fast's classifier, a dog, over the small network": (bench.over(bench.classifier, bench.read), small),
        "fast's finder, a photo, over the small network": (bench.over(bench.finder, bench.found), small),
    }
    figures = {}
    for name, (first, second) in pairs.items():
        first(0), second(0)  # what is done once is not counted
        ours, theirs = in_turn(first, second, options.rounds)
        figures[name] = {**ratios(ours, theirs), "seconds": rounded(ours), "of the other": rounded(theirs)}
    print_line(
        "small classifier",
        models=[model_of(dogmood) for dogmood in bench.dogmood.values()],
        photos=len(bench.photos),
        threads=options.threads,
        **figures,
    )


if __name__ == "__main__":
    main()
