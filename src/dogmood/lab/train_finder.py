"""Train the finder's heads on cached backbone features."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dogmood.lab.features import Features
from dogmood.lab.finder_targets import Corners, Truth, box_target, mask_target, soft_target
from dogmood.lab.nets.finder import BACKDROP, FinderHead
from dogmood.lab.nets.lite import Maps
from dogmood.lab.progress import track


@dataclass(frozen=True)
class FinderTraining:
    """How the finder's heads are trained.

    Attributes:
        epochs: passes over the photos.
        batch: photos a step.
        rate: the highest learning rate of the one cosine.
        weight_decay: of AdamW.
        averaging: decay of the moving average of the weights, which is what is kept.
        seed: of the order, the mirroring and the first weights.
    """

    epochs: int = 8
    batch: int = 16
    rate: float = 1e-3
    weight_decay: float = 0.01
    averaging: float = 0.998
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Example:
    """A photo's backbone maps and what is known of it."""

    features: Features
    truth: Truth

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells, as the map at 1/16 of the input's side has."""
        rows, columns = self.features[1].shape[1:]
        return rows, columns


def train_finder(examples: Sequence[Example], settings: FinderTraining, start: FinderHead | None = None) -> FinderHead:
    """Train heads and return the moving average of their weights; deterministic for equal arguments.

    Args:
        examples: what to learn from.
        settings: how.
        start: heads to go on from, which stay as they are; new ones without.
    """
    torch.manual_seed(settings.seed)
    head = FinderHead() if start is None else copy.deepcopy(start)
    average = copy.deepcopy(head)
    learning: list[Tensor] = [p for p in head.parameters() if p.requires_grad]
    following: list[Tensor] = [p for p in average.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=settings.rate, weight_decay=settings.weight_decay)
    steps = sum(1 for _ in _batches(examples, settings.batch, random.Random(0))) * settings.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.1)
    order = random.Random(settings.seed)
    done = 0
    for _ in track(range(settings.epochs), "Training the finder"):
        for batch in _batches(examples, settings.batch, order):
            optimizer.zero_grad()
            loss = _loss(head, batch, mirrored=order.random() < 0.5)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            done += 1
            # At first the average would be of weights that know nothing: it follows closely.
            decay = min(settings.averaging, done / (done + 9))
            with torch.no_grad():
                torch._foreach_lerp_(following, learning, 1 - decay)
    return average.eval()


def _batches(examples: Sequence[Example], size: int, order: random.Random) -> Iterator[list[Example]]:
    """Yield batches of one grid shape each, shuffled."""
    shapes: dict[tuple[int, int], list[Example]] = {}
    for example in order.sample(list(examples), len(examples)):
        shapes.setdefault(example.grid, []).append(example)
    batches = [group[i : i + size] for group in shapes.values() for i in range(0, len(group), size)]
    order.shuffle(batches)
    yield from batches


def _loss(head: FinderHead, batch: Sequence[Example], mirrored: bool) -> Tensor:
    rows, columns = batch[0].grid
    stacked = (torch.from_numpy(np.stack(level)).float() for level in zip(*(e.features for e in batch), strict=True))
    # Mirroring the maps stands in for mirroring the photo: a convolution's answer
    # to the mirror image is nearly the mirror image of its answer.
    out = head(Maps(*(level.flip(3) if mirrored else level for level in stacked)))
    truths = [_mirrored(e.truth) if mirrored else e.truth for e in batch]
    allowed = torch.stack([mask_target(truth, rows, columns) for truth in truths])
    loss = 2 * _mask_loss(out["mask"], allowed) + _dice_loss(out["mask"], truths, allowed)
    loss = loss + _soft_loss(out["mask"], truths, allowed)
    bodies = [(i, t.bodies, True, True) for i, t in enumerate(truths) if t.bodies is not None]
    heads = [(i, t.heads, t.head_sizes, t.head_scored) for i, t in enumerate(truths) if t.heads is not None]
    return loss + _box_loss(out["body"], bodies) + _box_loss(out["head"], heads)


def _mask_loss(logits: Tensor, allowed: Tensor) -> Tensor:
    """Minus the log of the probability that falls on allowed classes."""
    chosen = logits.masked_fill(~allowed, float("-inf")).logsumexp(dim=1)
    return (logits.logsumexp(dim=1) - chosen).mean()


def _dice_loss(logits: Tensor, truths: Sequence[Truth], allowed: Tensor) -> Tensor:
    """1 - Dice of the animals whose exact masks are known (Milletari et al. 2016, arXiv:1606.04797).

    The other losses count cells, one by one; this counts what an IoU does.
    """
    total = logits.sum() * 0
    known = [(i, t.species) for i, t in enumerate(truths) if t.animal is not None]
    for i, species in known:
        sure = ~(allowed[i, species] & allowed[i, BACKDROP])
        said, true = logits[i].softmax(dim=0)[species][sure], allowed[i, species][sure].float()
        total = total + 1 - (2 * (said * true).sum() + 1) / (said.sum() + true.sum() + 1)
    return total / max(1, len(known))


def _soft_loss(logits: Tensor, truths: Sequence[Truth], allowed: Tensor) -> Tensor:
    """Cross-entropy with what another finder says."""
    total = logits.sum() * 0
    told = [(i, t) for i, t in enumerate(truths) if t.soft is not None]
    for i, truth in told:
        total = total - (soft_target(truth, allowed[i]) * logits[i].log_softmax(dim=0)).sum(dim=0).mean()
    return total / max(1, len(told))


def _box_loss(found: Tensor, wanted: list[tuple[int, tuple[Corners, ...], bool, bool]]) -> Tensor:
    """Penalty-reduced focal loss of the scores plus GIoU loss of the boxes."""
    total = found.sum() * 0
    for i, boxes, sizes, scored in wanted:
        rows, columns = found.shape[-2:]
        scores, sides = box_target(boxes, rows, columns)
        if scored:
            total = total + _focal(found[i, 0], scores)
        elif boxes:  # an animal that is no dog: nothing to find, but its shape teaches
            total = total + _focal(found[i, 0], torch.zeros_like(scores))
        near = ~sides[0].isnan()
        if sizes and near.any():
            total = total + 2 * _giou_loss(found[i, 1:, near], sides[:, near])
    return total / max(1, len(wanted))


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    """CenterNet's focal loss, alpha 2 and beta 4, summed and shared over the middles."""
    probability = logits.sigmoid()
    middle = target > 0.999
    hit = -((1 - probability) ** 2) * functional.logsigmoid(logits)
    miss = -((1 - target) ** 4) * probability**2 * functional.logsigmoid(-logits)
    return (hit[middle].sum() + miss[~middle].sum()) / max(1, int(middle.sum()))


def _giou_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """1 - generalised IoU of boxes around one point, given as four distances ``(4, k)``."""
    inner, outer = torch.minimum(found, wanted), torch.maximum(found, wanted)
    common = (inner[0] + inner[2]) * (inner[1] + inner[3])
    union = sum((d[0] + d[2]) * (d[1] + d[3]) for d in (found, wanted)) - common
    hull = (outer[0] + outer[2]) * (outer[1] + outer[3])
    return (1 - common / union + (hull - union) / hull).mean()


def _mirrored(truth: Truth) -> Truth:
    def flip(boxes: tuple[Corners, ...] | None) -> tuple[Corners, ...] | None:
        return None if boxes is None else tuple((1 - x1, y0, 1 - x0, y1) for x0, y0, x1, y1 in boxes)

    return replace(
        truth,
        animal=None if truth.animal is None else truth.animal[:, ::-1],
        soft=None if truth.soft is None else truth.soft[..., ::-1],
        bodies=flip(truth.bodies),
        heads=flip(truth.heads),
    )
