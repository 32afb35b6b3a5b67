"""What single choices are worth, on frozen features: ``python -m dogmood.lab.trials --data DATA``.

A pretrained backbone's features of every photo are computed once; on them a linear head
is fitted again and again, one thing changed at a time.  That takes minutes where
training takes hours, and tells which choices are worth training with: effects here are
leads, not the shipped models' figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dogmood.classifier import View
from dogmood.emotions import EMOTIONS
from dogmood.errors import DogMoodError
from dogmood.lab.cuts import CUTS, Cutting, cut_photos
from dogmood.lab.data.manifest import SPLITS, LabelledPhoto, checksum, read_manifest
from dogmood.lab.features import FeatureCache, weights_digest
from dogmood.lab.intervals import mean_with_interval
from dogmood.lab.nets.classifier import BACKBONES
from dogmood.lab.progress import track
from dogmood.lab.train_classifier import weights_of

SIDE = 224
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Of the squared weights; each trial takes the one with the least log loss on valid."""

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Of the training groups, for the learning curve."""

SEEDS = 5
"""Of the learning curve's draws."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Way:
    """How a head is fitted, and on what.

    Attributes:
        cuts: which cuts of a photo are seen side by side.
        side: their resolution in pixels.
        hard: labels as one emotion, rather than the share of each.
        balance: rarer emotions count more, by frequency to minus this power.
        trusted: only photos whose readings agree (gold and silver).
        smoothing: this share of each label is spread over all emotions.
        robust: generalised cross-entropy (Zhang & Sabuncu 2018, arXiv:1805.07836) with
            this exponent; 0 is cross-entropy.
        mixup: how many mixtures of two photos are learnt from beside each one, mixed by
            Beta(0.4, 0.4) (Zhang et al. 2017, arXiv:1710.09412; here of features).
        web: learn also from the photos that nobody has read, by a first head's answers.
        mirrored: at test, average over the photo and its mirror image.
    """

    cuts: tuple[str, ...] = ("body", "head")
    side: int = SIDE
    hard: bool = False
    balance: float = 1.0
    trusted: bool = False
    smoothing: float = 0.0
    robust: float = 0.0
    mixup: int = 0
    web: bool = False
    mirrored: bool = False


STANDARD = Way()

WAYS: dict[str, Way] = {
    "body and head": STANDARD,
    "whole photo alone": Way(cuts=("photo",)),
    "body alone": Way(cuts=("body",)),
    "head alone": Way(cuts=("head",)),
    "body, head and whole photo": Way(cuts=("body", "head", "photo")),
    "320 px": Way(side=320),
    "hard labels": Way(hard=True),
    "emotions as frequent as they are": Way(balance=0.0),
    "half balanced": Way(balance=0.5),
    "gold and silver labels alone": Way(trusted=True),
    "label smoothing 0.1": Way(smoothing=0.1),
    "generalised cross-entropy 0.7": Way(robust=0.7),
    "mixup": Way(mixup=4),
    "web photos by self-training": Way(web=True),
    "mirror image averaged at test": Way(mirrored=True),
}
"""What is tried; each differs in one thing from the first."""


@dataclass(frozen=True, eq=False)
class Head:
    """A linear reading of standardised features."""

    mean: Features
    deviation: Features
    weight: Features
    bias: Features

    def logits(self, features: Features) -> Features:
        """Return ``(n, 5)`` for ``(n, channels)``."""
        return np.asarray((features - self.mean) / self.deviation @ self.weight.T + self.bias, np.float32)


def fit_head(features: Features, targets: Features, weights: NDArray[np.float64], penalty: float, way: Way) -> Head:
    """Fit a head by L-BFGS.

    Args:
        features: ``(n, channels)``.
        targets: ``(n, 5)`` the share of each emotion.
        weights: ``(n,)`` how much each photo counts.
        penalty: of the squared weights.
        way: its loss.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    x = torch.from_numpy((features - mean) / deviation)
    y = torch.from_numpy(targets)
    share = torch.from_numpy(weights / weights.sum()).float()
    weight = torch.zeros(len(EMOTIONS), x.shape[1], requires_grad=True)
    bias = torch.zeros(len(EMOTIONS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (share * _losses(x @ weight.T + bias, y, way)).sum() + penalty * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return Head(mean, deviation, weight.detach().numpy(), bias.detach().numpy())


def _losses(logits: Tensor, targets: Tensor, way: Way) -> Tensor:
    if way.robust:
        agreement = (logits.softmax(dim=1).clamp_min(1e-6) ** way.robust * targets).sum(dim=1)
        return (1 - agreement) / way.robust
    return functional.cross_entropy(logits, targets, label_smoothing=way.smoothing, reduction="none")


class Frozen:
    """A frozen backbone's features of labelled photos, kept on disk.

    Args:
        parts: the photos, by the name of their part.
        backbone: one of `dogmood.lab.nets.classifier.BACKBONES`.
        cache: a folder for cuts and features.
    """

    def __init__(self, parts: Mapping[str, Sequence[LabelledPhoto]], backbone: str, cache: Path) -> None:
        self._parts = parts
        self._net = BACKBONES[backbone](True).eval()
        self._digest = weights_digest(self._net)
        self._cache = cache
        self._known: dict[tuple[str, str, int, bool], Features] = {}

    def of(self, part: str, way: Way, mirrored: bool = False) -> Features:
        """Return ``(n, channels)``: the mean over the cells of each cut, side by side."""
        return np.hstack([self._of(part, cut, way.side, mirrored) for cut in way.cuts])

    def _of(self, part: str, cut: str, side: int, mirrored: bool) -> Features:
        key = part, cut, side, mirrored
        if key not in self._known:
            self._known[key] = self._computed(self._parts[part], CUTS[cut], side, mirrored)
        return self._known[key]

    def _computed(self, photos: Sequence[LabelledPhoto], view: View, side: int, mirrored: bool) -> Features:
        cuts = cut_photos(photos, Cutting(view, side, 3), self._cache)

        def model(pictures: Tensor) -> tuple[Tensor, ...]:
            return (self._net(pictures.flip(-1) if mirrored else pictures).mean(dim=(2, 3)),)

        keys = [f"{photo.digest()} {view} {side} {mirrored}" for photo in photos]
        features = FeatureCache(
            self._cache / "features", model, self._digest, keys, lambda i: cuts[i].transpose(1, 2, 0)
        )
        features.fill(f"Features of the {view.of} at {side} px")
        return np.array([row[0] for row in features], np.float32)


@dataclass(frozen=True, eq=False)
class Outcome:
    """The logits of a way on valid and on test, and the penalty that it took."""

    penalty: float
    valid: Features
    test: Features


class Trials:
    """All that is tried, on one data set.

    Args:
        data: the folder that holds ``emotions/``.
        backbone: whose features.
        cache: a folder for what is computed once.
    """

    def __init__(self, data: Path, backbone: str, cache: Path) -> None:
        photos = read_manifest(data / "emotions")
        self._parts = {split: [p for p in photos if p.split == split and p.tier != "web"] for split in SPLITS}
        self._parts["web"] = [p for p in photos if p.tier == "web"]
        self._frozen = Frozen(self._parts, backbone, cache)

    def outcome(self, way: Way, train: Sequence[LabelledPhoto] | None = None) -> Outcome:
        """Fit a head in a way, on all training photos unless others are given."""
        whole = self._parts["train"]
        chosen = [p for p in (whole if train is None else train) if not way.trusted or p.tier in ("gold", "silver")]
        rows = {photo.path: i for i, photo in enumerate(whole)}
        features = self._frozen.of("train", way)[[rows[photo.path] for photo in chosen]]
        targets = _targets(chosen, way)
        weights = weights_of(chosen, way.balance)
        if way.web and (web := self._parts["web"]):
            _, first = self._best(features, targets, weights, way)
            more = self._frozen.of("web", way)
            answers = torch.from_numpy(first.logits(more)).softmax(dim=1).numpy()
            named = [replace(p, label=EMOTIONS[i]) for p, i in zip(web, answers.argmax(axis=1), strict=True)]
            features, targets = np.concatenate([features, more]), np.concatenate([targets, answers])
            weights = weights_of([*chosen, *named], way.balance)
        if way.mixup:
            features, targets, weights = _mixed(features, targets, weights, way.mixup)
        penalty, head = self._best(features, targets, weights, way)
        return Outcome(penalty, *(self._read(head, split, way) for split in ("valid", "test")))

    def figures(self) -> Iterator[dict[str, Any]]:
        """Measure every way, and the learning curve of the first."""
        standard = self.outcome(STANDARD)
        for name, way in track(list(WAYS.items()), "Ways"):
            yield {"way": name, **self._compared(self.outcome(way), standard)}
        groups = sorted({photo.block for photo in self._parts["train"]})
        for share in SHARES:
            for seed in range(SEEDS if share < 1 else 1):
                kept = set(np.random.default_rng(seed).permutation(groups)[: round(share * len(groups))].tolist())
                some = [photo for photo in self._parts["train"] if photo.block in kept]
                outcome = self.outcome(STANDARD, some)
                yield {"photos": len(some), "share": share, "seed": seed, **self._compared(outcome, standard)}

    def _best(
        self, features: Features, targets: Features, weights: NDArray[np.float64], way: Way
    ) -> tuple[float, Head]:
        heads = {penalty: fit_head(features, targets, weights, penalty, way) for penalty in PENALTIES}
        labels = torch.from_numpy(_labels(self._parts["valid"]))

        def loss(head: Head) -> float:
            logits = torch.from_numpy(self._read(head, "valid", way))
            return float(functional.cross_entropy(logits, labels))

        penalty = min(heads, key=lambda penalty: loss(heads[penalty]))
        return penalty, heads[penalty]

    def _read(self, head: Head, split: str, way: Way) -> Features:
        logits = head.logits(self._frozen.of(split, way))
        if way.mirrored:
            logits = np.mean(
                [logits, head.logits(self._frozen.of(split, way, mirrored=True))], axis=0, dtype=np.float32
            )
        return logits

    def _compared(self, outcome: Outcome, standard: Outcome) -> dict[str, Any]:
        row: dict[str, Any] = {"penalty": outcome.penalty}
        for split in ("valid", "test"):
            photos = self._parts[split]
            labels, groups = _labels(photos), [photo.block for photo in photos]
            logits, before = getattr(outcome, split), getattr(standard, split)
            right = logits.argmax(axis=1) == labels
            gain = right.astype(float) - (before.argmax(axis=1) == labels)
            row[split] = {
                "accuracy": mean_with_interval(right, groups),
                "gain": mean_with_interval(gain, groups),
                "log loss": float(functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels))),
            }
        return row


def _targets(photos: Sequence[LabelledPhoto], way: Way) -> Features:
    soft = np.array([photo.soft for photo in photos], np.float32)
    return np.eye(len(EMOTIONS), dtype=np.float32)[_labels(photos)] if way.hard else soft


def _labels(photos: Sequence[LabelledPhoto]) -> NDArray[np.int64]:
    return np.array([EMOTIONS.index(photo.label) for photo in photos], np.int64)


def _mixed(
    features: Features, targets: Features, weights: NDArray[np.float64], times: int
) -> tuple[Features, Features, NDArray[np.float64]]:
    random = np.random.default_rng(0)
    first, second = random.choice(len(features), (2, times * len(features)), p=weights / weights.sum())
    share = random.beta(0.4, 0.4, len(first)).astype(np.float32)[:, None]
    more, labels = (share * of[first] + (1 - share) * of[second] for of in (features, targets))
    even = np.full(len(first), weights.sum() / len(features))
    return np.concatenate([features, more]), np.concatenate([targets, labels]), np.concatenate([weights, even])


def main() -> None:
    """Run the command line: a line of JSON a trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds emotions/")
    parser.add_argument("--backbone", default="efficientnet_lite0", choices=sorted(BACKBONES))
    parser.add_argument("--cache", type=Path, default=Path(".cache/trials"), help="where cuts and features are kept")
    options = parser.parse_args()
    try:
        print(json.dumps({"backbone": options.backbone, "manifest": checksum(options.data / "emotions")}), flush=True)
        for row in Trials(options.data, options.backbone, options.cache).figures():
            print(json.dumps(row), flush=True)
    except DogMoodError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
