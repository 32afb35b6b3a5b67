"""Train the emotion classifier on cached maps of its frozen trunk."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.progress import track

TIER_WEIGHTS = {"gold": 1.0, "silver": 0.8, "bronze": 0.5, "contested": 0.5}
"""How much a photo counts, by how far its label can be trusted."""


@dataclass(frozen=True)
class ClassifierTraining:
    """How the classifier is trained.

    Attributes:
        epochs: passes over the photos.
        batch: photos a step.
        rate: the highest learning rate of the new head; deeper blocks get less.
        decay: each block's rate is this share of that of the block above it.
        weight_decay: of AdamW.
        balance: photos of rarer emotions count more, by frequency to minus this power.
        averaging: decay of the moving average of the weights, which is what is kept.
        seed: of the order and the choice among augmented variants.
    """

    epochs: int = 6
    batch: int = 32
    rate: float = 1e-3
    decay: float = 0.85
    weight_decay: float = 0.02
    balance: float = 0.5
    averaging: float = 0.99
    seed: int = 0


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The trunk's maps of every photo in several augmented variants.

    Attributes:
        maps: ``(variants, n, views, channels, rows, columns)`` float16.
        targets: ``(n, 5)`` soft labels.
        weights: ``(n,)`` how much each photo counts.
    """

    maps: NDArray[np.float16]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def weights_of(photos: Sequence[LabelledPhoto], balance: float) -> NDArray[np.float32]:
    """Return how much each photo counts: by trust in its label and rarity of its emotion."""
    labels, counts = np.unique([p.label for p in photos], return_counts=True)
    rarity = dict(zip(labels.tolist(), (counts.mean() / counts) ** balance, strict=True))
    return np.array([TIER_WEIGHTS[p.tier] * rarity[p.label] for p in photos], np.float32)


def train_classifier(net: ClassifierNet, data: TrainingSet, settings: ClassifierTraining) -> ClassifierNet:
    """Train a network and return the moving average of its weights.

    Batch-norm statistics stay ImageNet's: batches are small and the photos few.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    net.eval().requires_grad_(False)
    groups = _rates(net, settings)
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    steps = settings.epochs * (len(data.targets) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in groups], total_steps=steps, pct_start=0.15
    )
    average = copy.deepcopy(net)
    for _ in track(range(settings.epochs), "Training the classifier"):
        order = random.permutation(len(data.targets))
        for at in range(0, len(order) - settings.batch + 1, settings.batch):
            chosen = order[at : at + settings.batch]
            optimizer.zero_grad()
            loss = _loss(net, data, chosen, random.integers(len(data.maps), size=len(chosen)))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            _move(average, net, settings.averaging)
    return average


def _rates(net: ClassifierNet, settings: ClassifierTraining) -> list[dict[str, Any]]:
    """Return optimizer groups: the deeper the part, the smaller its learning rate."""
    groups = []
    for depth, part in enumerate(reversed(net.trained())):
        part.requires_grad_(True)
        # Below the new head the weights are good already: start at a tenth.
        scale = 1.0 if depth == 0 else 0.1 * settings.decay ** (depth - 1)
        groups.append({"params": list(part.parameters()), "lr": settings.rate * scale})
    return groups


def _loss(net: ClassifierNet, data: TrainingSet, chosen: NDArray[np.intp], variants: NDArray[np.intp]) -> Tensor:
    maps = torch.from_numpy(data.maps[variants, chosen]).float()
    log_probability = functional.log_softmax(net.from_trunk(maps).logits, dim=1)
    each = -(torch.from_numpy(data.targets[chosen]) * log_probability).sum(dim=1)
    weights = torch.from_numpy(data.weights[chosen])
    return (each * weights).sum() / weights.sum()


@torch.no_grad()
def _move(average: ClassifierNet, net: ClassifierNet, decay: float) -> None:
    for kept, new in zip(average.parameters(), net.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
