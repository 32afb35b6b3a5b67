"""Train a network on labelled photos: the lab's main path.

photos -> pictures -> batches -> augmented crops -> loss -> scaled gradients -> step;
after each epoch: validation -> schedule -> checkpoint -> metrics
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dogmood.atomic import clear_leftovers
from dogmood.lab import LabError
from dogmood.lab.augment import Augment, middle_crop
from dogmood.lab.checkpoint import Progress, Training, new_scaler
from dogmood.lab.devices import Team, run_on_devices
from dogmood.lab.locking import alone_in
from dogmood.lab.nets.registry import build, spec
from dogmood.lab.optimizers import make_optimizer
from dogmood.lab.pictures import load_pictures
from dogmood.lab.run import EpochMetrics, Run, save_tensors
from dogmood.lab.schedulers import Schedule
from dogmood.lab.settings import RunSettings
from dogmood.lab.watch import OnEpoch, watched

CHECK_EVERY = 20
"""Steps between looks at the loss: each look waits for the device."""

VALID_BATCH = 256

KEEPING = 0.05
"""Share of the time that may go into checkpoints before the last: a large network on a GPU
has an epoch behind it sooner than it is written down."""

AT_ONCE = 2**25
"""Values of pictures that a GPU augments together."""


def train(run: Run, cache: Path, data: str | None = None) -> Progress:
    """Train until the run's epochs are done, going on from its last checkpoint if it has one.

    Args:
        run: the folder to work in.
        cache: where cut photos are kept between runs.
        data: where the photos are now, if not where the run's settings say.

    Returns:
        The metrics of every epoch.

    Raises:
        LabError: the data is absent or has changed, the checkpoint does not fit,
            or the loss is no longer a number; or another process trains the run.
        UsageError: the folder cannot be written to; the last checkpoint survives.
    """
    with alone_in(run.folder):
        clear_leftovers(run.folder)
        progress: Progress = run_on_devices(_train, run.settings.devices, run, cache, data)
    return progress


def _train(team: Team, run: Run, cache: Path, data: str | None) -> Progress:
    trainer = Trainer(team, run, cache, data)
    progress = trainer.training.progress
    with ExitStack() as stack:
        on_epoch = team.led(lambda: _begin_watching(run, progress, stack))
        while progress.epochs < run.settings.epochs:
            row, best = trainer.epoch()
            team.led(partial(_end_epoch, trainer, row, best, on_epoch))
    return progress


def _begin_watching(run: Run, progress: Progress, stack: ExitStack) -> OnEpoch:
    if progress.rows:
        run.write_metrics(progress.rows)  # a kill may have come between checkpoint and metrics
    return stack.enter_context(watched(run, progress.rows))


def _end_epoch(trainer: Trainer, row: EpochMetrics, best: bool, on_epoch: OnEpoch | None) -> None:
    trainer.keep(best)
    if on_epoch is not None:
        on_epoch(row)


class Trainer:
    """One process's part in a run."""

    def __init__(self, team: Team, run: Run, cache: Path, data: str | None = None) -> None:
        """Load pictures, network and, if there is one, the last checkpoint."""
        settings = run.settings
        self.team, self.run, self.settings = team, run, settings
        photos = run.photos(data)
        self.train_set = load_pictures(photos["train"], settings, cache, team.device)
        self.valid_set = load_pictures(photos["valid"], settings, cache, team.device)
        self.batch = min(settings.batch, len(self.train_set) // team.size * team.size)
        if self.batch < 2 * team.size:
            raise LabError(f"{len(self.train_set)} training photos are too few for {team.size} devices.")
        self.augment = Augment(spec(settings.network).side, settings.crops, settings.augmentation == "protocol")
        self.training = self._begin()
        checkpoint = run.folder / "last.safetensors"
        if checkpoint.exists():
            self.training.load(checkpoint)
        self.net = team.wrap(self.training.net)
        self._best: dict[str, Tensor] = {}
        self._due = 0.0
        self._kept = self.training.progress.epochs

    def epoch(self) -> tuple[EpochMetrics, bool]:
        """Train and validate for one epoch; say how it went and whether it is the best so far."""
        number = self.training.progress.epochs + 1
        began = time.perf_counter()
        rate = float(self.training.optimizer.param_groups[0]["lr"])
        loss, accuracy = self._pass(number)
        seconds = time.perf_counter() - began
        valid_loss, valid_accuracy = self._validate()
        if not math.isfinite(valid_loss):  # the last steps can do it, after the last look at the loss
            raise self._no_number(f"on the validation photos after epoch {number}")
        self.training.schedule.after_epoch(valid_accuracy)
        photos = self.steps * self.batch
        row = EpochMetrics(number, rate, loss, accuracy, valid_loss, valid_accuracy, seconds, photos / seconds)
        return row, self.training.progress.add(row)

    def keep(self, best: bool) -> None:
        """Write the best weights, the checkpoint and the metrics, all of the same epoch.

        Writing waits until it is due, but for the last epoch; the best weights are held until then.
        """
        training, began = self.training, time.perf_counter()
        if best:
            self._best = {name: tensor.clone() for name, tensor in training.net.state_dict().items()}
        if began < self._due and training.progress.epochs < self.settings.epochs:
            return
        if self._best:
            facts = {"epoch": training.progress.best_epoch}
            save_tensors(self.run.folder / "best.safetensors", self._best, facts)
            self._best = {}
        training.save(self.run.folder / "last.safetensors")
        self.run.write_metrics(training.progress.rows)
        self._kept = training.progress.epochs
        ended = time.perf_counter()
        self._due = ended + (ended - began) * (1 / KEEPING - 1)

    @property
    def steps(self) -> int:
        """Steps of an epoch; the few photos left over wait for the next one's order."""
        return len(self.train_set) // self.batch

    def _begin(self) -> Training:
        settings, device = self.settings, self.team.device
        torch.manual_seed(settings.seed)
        net = build(settings.network, len(settings.emotions), settings.pretrained).to(device)
        # Channels beside each other in memory: a quarter to a half more photos a second.
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = make_optimizer(
            settings.optimizer, net.parameters(), settings.rate, settings.momentum, settings.weight_decay
        )
        schedule = Schedule(settings.scheduler, optimizer, settings.epochs, self.steps)
        return Training(net, optimizer, schedule, new_scaler(device))

    def _pass(self, epoch: int) -> tuple[float, float]:
        """Train on every photo once; return loss and accuracy over the augmented crops."""
        order = torch.from_numpy(_random(self.settings, epoch).permutation(len(self.train_set))).to(self.team.device)
        # Every process draws its own augmentation, the same in every run.
        torch.manual_seed(int(_random(self.settings, epoch, self.team.rank + 1).integers(2**62)))
        self.net.train()
        total = torch.zeros(3, device=self.team.device, dtype=torch.float64)
        for step, (crops, labels) in enumerate(self._batches(order), start=1):
            total += self._step(crops, labels)
            if step % CHECK_EVERY == 0 or step == self.steps:
                self._check(total, epoch, step)
        return _means(self.team.summed(total))

    def _batches(self, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this process's crops and labels for each step of an epoch."""
        crops = self.batch // self.team.size * self.augment.crops
        for chosen in torch.split(order[: self.steps * self.batch], self.batch * self._steps_at_once()):
            pictures, labels = self.train_set.batch(self.team.share(chosen))
            labels = labels.repeat_interleave(self.augment.crops)
            yield from zip(torch.split(self.augment(pictures), crops), torch.split(labels, crops), strict=True)

    def _steps_at_once(self) -> int:
        """Return of how many steps the pictures are augmented together.

        On a GPU hundreds of small calls cost more than the pixels do, and so than the step
        of a small network; a processor keeps one step's pictures in its caches.
        """
        if self.team.device.type == "cpu":
            return 1
        net = spec(self.settings.network)
        step = self.batch // self.team.size * self.augment.crops * net.channels * net.frame**2
        return max(1, AT_ONCE // step)

    def _step(self, crops: Tensor, labels: Tensor) -> Tensor:
        """Learn from one batch; return the sums of loss and hits, and the count."""
        training = self.training
        training.optimizer.zero_grad()
        with _autocast(self.settings, self.team.device):
            logits = self.net(crops.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits.float(), labels)
        training.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        training.scaler.step(training.optimizer)
        training.scaler.update()
        training.schedule.after_step()
        return _sums(loss.detach(), logits.detach(), labels)

    def _check(self, total: Tensor, epoch: int, step: int) -> None:
        # Summed over the team, so that all stop together.
        if not torch.isfinite(self.team.summed(total.clone())).all():
            raise self._no_number(f"at epoch {epoch}, step {step} or up to {CHECK_EVERY - 1} before")

    def _no_number(self, where: str) -> LabError:
        survivor = (
            f"the weights after epoch {self._kept} are in {self.run.folder}" if self._kept else "no epoch was kept"
        )
        return LabError(f"The loss is no longer a number {where}: lower --rate or change --optimizer ({survivor}).")

    @torch.inference_mode()
    def _validate(self) -> tuple[float, float]:
        """Return loss and accuracy on the middle crops of the validation photos."""
        net = self.training.net
        self.team.follow_leader(net)
        net.eval()
        total = torch.zeros(3, device=self.team.device, dtype=torch.float64)
        for chosen in torch.split(torch.arange(len(self.valid_set)), VALID_BATCH):
            mine = self.team.share(chosen)
            if len(mine):
                pictures, labels = self.valid_set.batch(mine)
                with _autocast(self.settings, self.team.device):
                    logits = net(middle_crop(pictures, self.augment.side))
                total += _sums(functional.cross_entropy(logits.float(), labels), logits, labels)
        return _means(self.team.summed(total))


def _sums(mean_loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    count = len(labels)
    return torch.stack([mean_loss.double() * count, (logits.argmax(1) == labels).sum(), mean_loss.new_full((), count)])


def _means(total: Tensor) -> tuple[float, float]:
    loss, hits, count = total.tolist()
    return loss / count, hits / count


def _random(settings: RunSettings, *where: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, *where])


def _autocast(settings: RunSettings, device: torch.device) -> torch.autocast:
    half = torch.float16 if device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, half, enabled=settings.precision == "mixed")
