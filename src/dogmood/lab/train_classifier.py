"""Train an emotion classifier on cuts of labelled photos."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import Parameter, functional

from dogmood.lab.augment import middle_crop
from dogmood.lab.checkpoint import Training, new_scaler
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.devices import best_device
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.progress import track
from dogmood.lab.run import EpochMetrics
from dogmood.lab.schedulers import Schedule
from dogmood.lab.strong_augment import StrongAugment

TIER_WEIGHTS = {"gold": 1.0, "silver": 0.8, "bronze": 0.5, "contested": 0.5, "web": 0.3}
"""How much a photo counts, by how far its label can be trusted."""

VALID_BATCH = 32

CPU = torch.device("cpu")


@dataclass(frozen=True)
class ClassifierTraining:
    """How a classifier is trained.

    Attributes:
        backbone: one of `dogmood.lab.nets.classifier.BACKBONES`.
        side: of the crops that it is shown, in pixels.
        trained: how many of its blocks learn, counted from the top; those below stay.
        epochs: how often so many photos are shown.
        photos: drawn in an epoch, each emotion as often as any other where
            ``balance`` is 1.
        batch: photos a step.
        rate: the highest learning rate of the new head.
        top: the rate of the backbone's last block, as a share of the head's.
        decay: each block's rate is this share of that of the block above it.
        weight_decay: of AdamW.
        balance: rarer emotions are drawn more often, by frequency to minus this power.
        smoothing: this share of each label is spread over all emotions.
        averaging: decay of the moving average of the weights, which is what is kept.
        teacher: the share of a teacher's answer in the label of a photo that has been read.
        faces: the share of what is drawn that is a face cut out of its photo.
        backdrops: the share that is a dog in front of another picture.
        originals: the share that is a picture of the experiment that the project grew from, a
            grey face labelled by people; the shares above are of the rest.
        outside: how much it counts, beside the loss, which share of the evidence lies
            outside the dog: it is to be read, not the scene (right for the right
            reasons: Ross et al. 2017, arXiv:1703.03717).
        seed: of order, augmentation and the head's first weights.
    """

    backbone: str = "efficientnet_lite0"
    side: int = 224
    trained: int = 9
    epochs: int = 8
    photos: int = 2560
    batch: int = 32
    rate: float = 1e-3
    top: float = 0.1
    decay: float = 0.85
    weight_decay: float = 0.05
    balance: float = 1.0
    smoothing: float = 0.05
    averaging: float = 0.99
    teacher: float = 0.0
    faces: float = 0.25
    backdrops: float = 0.15
    originals: float = 0.0
    outside: float = 0.2
    seed: int = 0


@dataclass(frozen=True, eq=False)
class CutPhotos:
    """Photos as the classifier is shown them, with a margin to vary the crop in.

    Attributes:
        views: for each view ``(n, 3, frame, frame)`` uint8 RGB.
        targets: ``(n, 5)`` the share of each emotion, rows summing to 1.
        weights: ``(n,)`` how readily each photo is drawn.
        masks: for each view ``(n, 1, frame, frame)`` uint8: what is dog, up to 255; or
            None where that is not known.
    """

    views: Sequence[NDArray[np.uint8]]
    targets: NDArray[np.float32]
    weights: NDArray[np.float64]
    masks: Sequence[NDArray[np.uint8]] | None = None

    def pictures(self, chosen: NDArray[np.intp], device: torch.device = CPU) -> Tensor:
        """Return ``(n, views, 3, frame, frame)`` float32 in [0, 1]."""
        return _stacked(self.views, chosen, device)

    def dog(self, chosen: NDArray[np.intp], device: torch.device = CPU) -> Tensor:
        """Return ``(n, views, 1, frame, frame)`` float32 in [0, 1]: what is dog; all, where that is not known."""
        if self.masks:
            return _stacked(self.masks, chosen, device)
        return torch.ones(len(chosen), len(self.views), 1, *self.views[0].shape[-2:], device=device)


def _stacked(views: Sequence[NDArray[np.uint8]], chosen: NDArray[np.intp], device: torch.device) -> Tensor:
    # Bytes travel to the device, and become numbers there.
    return torch.stack([torch.from_numpy(view[chosen]).to(device) for view in views], dim=1).float() / 255


def weights_of(photos: Sequence[LabelledPhoto], balance: float) -> NDArray[np.float64]:
    """Return how readily each photo is drawn: by trust in its label and rarity of its emotion.

    Trust is weighed within an emotion: emotions with doubtful labels are drawn as often.
    """
    trust = np.array([TIER_WEIGHTS[photo.tier] for photo in photos])
    labels = np.array([photo.label for photo in photos])
    result = np.empty(len(photos))
    for label in np.unique(labels):
        of_label = labels == label
        result[of_label] = trust[of_label] / trust[of_label].sum() * of_label.sum() ** (1 - balance)
    result /= result.sum()
    return result


class Averaged(nn.Module):
    """A network and the moving average of its weights."""

    def __init__(self, net: ClassifierNet) -> None:
        super().__init__()
        self.net = net
        self.average = copy.deepcopy(net)

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Move the average towards the network."""
        pairs = zip(self.average.parameters(), self.net.parameters(), strict=True)
        kept, new = zip(*(pair for pair in pairs if pair[1].requires_grad), strict=True)
        torch._foreach_lerp_(kept, new, 1 - decay)  # all at once: on a GPU each call costs as much as its work


def train_classifier(
    net: ClassifierNet, data: CutPhotos, valid: CutPhotos, settings: ClassifierTraining, checkpoint: Path
) -> ClassifierNet:
    """Train a network, on the GPU if there is one, and return the moving average of its weights.

    Batch-norm statistics stay as they were: batches are small and the photos few.
    Nothing is chosen by the validation photos: their figures are for a person to watch.

    Args:
        net: it is trained in place.
        data: the photos to learn from.
        valid: photos to report on after each epoch.
        settings: how to train.
        checkpoint: written after each epoch; where it exists, training goes on from it.
    """
    device = best_device()
    pair = Averaged(net.eval().requires_grad_(False).to(device))
    optimizer = torch.optim.AdamW(_rates(pair.net, settings), weight_decay=settings.weight_decay)
    steps = settings.photos // settings.batch
    schedule = Schedule("one_cycle", optimizer, settings.epochs, steps)
    training = Training(pair, optimizer, schedule, new_scaler(device))
    if checkpoint.exists():
        training.load(checkpoint)
    augment = StrongAugment(settings.side)
    while training.progress.epochs < settings.epochs:
        began = time.perf_counter()
        rate = float(optimizer.param_groups[0]["lr"])
        loss, accuracy = _epoch(training, pair, data, augment, settings)
        seconds = time.perf_counter() - began
        of_valid = valid_figures(pair.average, valid, settings.side)
        number = training.progress.epochs + 1
        photos = steps * settings.batch
        training.progress.add(EpochMetrics(number, rate, loss, accuracy, *of_valid, seconds, photos / seconds))
        training.save(checkpoint)
    return pair.average.cpu()


def _epoch(
    training: Training, pair: Averaged, data: CutPhotos, augment: StrongAugment, settings: ClassifierTraining
) -> tuple[float, float]:
    """Show as many photos as an epoch has; return mean loss and accuracy over the crops."""
    epoch = training.progress.epochs + 1
    random = np.random.default_rng([settings.seed, epoch])
    torch.manual_seed(int(random.integers(2**62)))
    steps = settings.photos // settings.batch
    drawn = random.choice(len(data.targets), (steps, settings.batch), p=data.weights)
    pair.net.head.train()
    device = next(pair.net.parameters()).device
    losses, hits = torch.zeros((), device=device), torch.zeros((), device=device)
    for chosen in track(list(drawn), f"Epoch {epoch} of {settings.epochs}"):
        pictures = data.pictures(chosen, device)
        crops, dog = augment(pictures.flatten(0, 1), data.dog(chosen, device).flatten(0, 1))
        targets = torch.from_numpy(data.targets[chosen]).to(device)
        training.optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16):
            answer = pair.net(crops.reshape(*pictures.shape[:2], *crops.shape[1:]))
        logits, maps = answer.logits.float(), answer.maps.float()
        loss = functional.cross_entropy(logits, targets, label_smoothing=settings.smoothing)
        loss = loss + settings.outside * evidence_outside(maps, dog.reshape(*pictures.shape[:2], *dog.shape[2:]))
        training.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        training.scaler.step(training.optimizer)
        training.scaler.update()
        training.schedule.after_step()
        pair.follow(settings.averaging)
        losses += loss.detach()
        hits += (logits.argmax(1) == targets.argmax(1)).sum()
    pair.net.head.eval()
    return float(losses) / steps, float(hits) / (steps * settings.batch)


def evidence_outside(maps: Tensor, dog: Tensor) -> Tensor:
    """Return which share of the evidence lies in cells without a dog, mean over photos: a scalar in [0, 1].

    Evidence is what a cell adds to an emotion more than to the others, for or against.

    Args:
        maps: ``(n, views, 5, rows, columns)``.
        dog: ``(n, views, side, side)`` in [0, 1]: what is dog.
    """
    evidence = (maps - maps.mean(dim=2, keepdim=True)).abs().mean(dim=2)
    outside = 1 - functional.adaptive_max_pool2d(dog, evidence.shape[-2:])
    shares = (evidence * outside).sum(dim=(1, 2, 3)) / (evidence.sum(dim=(1, 2, 3)) + 1e-6)
    return shares.mean()


@torch.inference_mode()
def answers(net: ClassifierNet, data: CutPhotos, side: int) -> NDArray[np.float32]:
    """Return the logits ``(n, 5)`` of the middle crops."""
    device = next(net.parameters()).device
    logits = []
    for chosen in np.array_split(np.arange(len(data.targets)), max(1, len(data.targets) // VALID_BATCH)):
        with torch.autocast(device.type, torch.bfloat16):
            logits.append(net(middle_crop(data.pictures(chosen, device), side)).logits.float().cpu())
    return torch.cat(logits).numpy()


def valid_figures(net: ClassifierNet, data: CutPhotos, side: int) -> tuple[float, float]:
    """Return log loss and accuracy over the middle crops."""
    logits = torch.from_numpy(answers(net, data, side))
    labels = torch.from_numpy(data.targets.argmax(axis=1))
    return float(functional.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).float().mean())


def _rates(net: ClassifierNet, settings: ClassifierTraining) -> list[dict[str, object]]:
    """Return optimizer groups: the deeper the block, the smaller its learning rate."""
    groups: list[dict[str, object]] = [_group(list(net.head.parameters()), settings.rate)]
    for depth, stage in enumerate(reversed(net.stages())):
        if depth < settings.trained:
            groups.append(_group(stage, settings.rate * settings.top * settings.decay**depth))
    return groups


def _group(parameters: list[Parameter], rate: float) -> dict[str, object]:
    for parameter in parameters:
        parameter.requires_grad_(True)
    return {"params": parameters, "lr": rate}
