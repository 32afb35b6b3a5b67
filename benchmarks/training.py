"""Training: photos per second against a plain PyTorch loop, and how an epoch grows with the photos.

The lab's side is `Trainer.epoch` as `dogmood train --crops 1` runs it, its training pass
alone: pictures fetched and augmented, loss, scaled gradients, step, schedule.  The plain
loop steps the same kind of network, with the same optimizer, batch, precision and memory
layout, over tensors of the same shape that lie ready: no augmentation, no scaler, no
schedule.  Epoch after epoch in turn; the ratio is the lab's photos per second over the
loop's.

Growth: a whole epoch, validation too, on so many photos, over what it takes on the fewest
times their number.  Pictures are noise: what they show does not change the time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import in_turn, print_line, ratios, rounded
from PIL import Image
from torch.nn import functional

from dogmood.emotions import EMOTIONS
from dogmood.lab.data.manifest import write_rows
from dogmood.lab.devices import Team
from dogmood.lab.fit import Trainer
from dogmood.lab.nets.registry import build, spec
from dogmood.lab.optimizers import make_optimizer
from dogmood.lab.run import Run
from dogmood.lab.settings import RunSettings

_FILES = 100
"""How many pictures there are; manifests name them again and again."""

_VALID_SHARE = 8
"""One validation photo for so many training photos, as where 80 and 10 % are split off."""


def trainer(folder: Path, network: str, photos: int) -> Trainer:
    """Return a trainer of a run on so many training photos of noise."""
    data, side = folder / f"{network}-{photos}", spec(network).frame
    (data / "photos").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(_FILES):
        noise = random.integers(256, size=(side, side, 3), dtype=np.uint8)
        Image.fromarray(noise).save(data / "photos" / f"{number}.png", compress_level=1)
    splits = ["train"] * photos + ["valid"] * max(photos // _VALID_SHARE, len(EMOTIONS)) + ["test"] * len(EMOTIONS)
    write_rows(
        data,
        (
            {"photo": f"{number % _FILES}.png", "split": split, "label": EMOTIONS[number % len(EMOTIONS)]}
            for number, split in enumerate(splits)
        ),
    )
    settings = RunSettings(str(data), network, cut="photo", crops=1, pretrained=False)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Trainer(Team(0, 1, device), Run.create(data / "run", settings), folder / "cuts")


class PlainLoop:
    """What anybody would write first: tensors, network, loss, step."""

    def __init__(self, settings: RunSettings, photos: int, device: torch.device) -> None:
        known = spec(settings.network)
        self.device, self.batch = device, settings.batch
        net = build(settings.network, len(settings.emotions), settings.pretrained).to(device)
        self.net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.optimizer = make_optimizer(
            settings.optimizer, self.net.parameters(), settings.rate, settings.momentum, settings.weight_decay
        )
        self.crops = torch.rand(photos, known.channels, known.side, known.side, device=device)
        self.labels = torch.arange(photos, device=device) % len(settings.emotions)

    def photos_per_second(self) -> float:
        """Take every photo once."""
        half = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        steps = len(self.labels) // self.batch
        start = time.perf_counter()
        for step in range(steps):
            some = slice(step * self.batch, (step + 1) * self.batch)
            self.optimizer.zero_grad()
            with torch.autocast(self.device.type, half):
                logits = self.net(self.crops[some].contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(logits.float(), self.labels[some])
            loss.backward()
            self.optimizer.step()
        loss.item()  # wait for the device
        return steps * self.batch / (time.perf_counter() - start)


def throughput(folder: Path, network: str, photos: int, rounds: int) -> dict[str, object]:
    """Hold the lab against the plain loop."""
    ours = trainer(folder, network, photos)
    plain = PlainLoop(ours.settings, photos, ours.team.device)
    ours.epoch()
    plain.photos_per_second()
    lab, loop = in_turn(lambda _: ours.epoch()[0].photos_per_second, lambda _: plain.photos_per_second(), rounds)
    return {
        "network": network,
        **ratios(lab, loop),
        "aim": "at least 0.9",
        "photos": photos,
        "lab_photos_per_s": rounded(lab),
        "loop_photos_per_s": rounded(loop),
    }


def growth(folder: Path, network: str, sizes: list[int], rounds: int) -> dict[str, object]:
    """Time whole epochs on more and more photos, size after size in turn."""
    trainers = [trainer(folder, network, size) for size in sizes]
    for one in trainers:
        one.epoch()
    seconds: list[list[float]] = [[] for _ in sizes]
    for _ in range(rounds):
        for taken, one in zip(seconds, trainers, strict=True):
            start = time.perf_counter()
            one.epoch()
            taken.append(time.perf_counter() - start)
    medians = [float(np.median(taken)) for taken in seconds]
    return {
        "network": network,
        "photos": sizes,
        "epoch_s": rounded(medians),
        "over_linear": rounded([s / medians[0] * sizes[0] / n for s, n in zip(medians, sizes, strict=True)]),
        "aim": "0.9 to 1.1",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", default=["vggnet=1024", "efficientnet_lite0=192"], help="NAME=PHOTOS")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of epochs")
    parser.add_argument("--grows", default="vggnet", help="the network whose epochs grow; empty: none")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 2000, 4000, 8000], help="photos of an epoch")
    parser.add_argument("--grow-rounds", type=int, default=3)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = [
            throughput(folder, network, int(photos), options.rounds)
            for network, photos in (word.split("=") for word in options.networks)
        ]
        grown = growth(folder, options.grows, options.sizes, options.grow_rounds) if options.grows else None
    print_line("training", throughput=figures, growth=grown, torch=torch.__version__, threads=torch.get_num_threads())


if __name__ == "__main__":
    main()
