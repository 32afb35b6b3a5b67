"""Train the finder's heads on cached backbone features."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from dogmood.lab.data.manifest import Box, LabelledPhoto
from dogmood.lab.data.pets import PetPhoto
from dogmood.lab.features import Features
from dogmood.lab.finder_targets import Corners, Truth, box_target, mask_target
from dogmood.lab.nets.finder import DOG, OTHER, FinderHead
from dogmood.lab.nets.lite import Maps
from dogmood.lab.progress import track
from dogmood.photo import FORMATS

LEAST_DOG_SCORE = 0.5
"""A detector's dog box below this score is too doubtful to learn from."""


@dataclass(frozen=True)
class FinderTraining:
    """How the finder's heads are trained.

    Attributes:
        epochs: passes over the photos.
        batch: photos a step.
        rate: the highest learning rate of the one cosine.
        weight_decay: of AdamW.
        seed: of the order, the mirroring and the first weights.
    """

    epochs: int = 12
    batch: int = 16
    rate: float = 1e-3
    weight_decay: float = 0.01
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


def truth_of_pet(photo: PetPhoto) -> Truth | None:
    """Return what the annotation of a pet photo tells; None where it was never checked."""
    if photo.kind == "unchecked":
        return None
    if photo.kind in ("none", "other"):
        return Truth(dog=False, bodies=(), heads=())
    dog = photo.kind == "dog"
    animal = photo.mask()
    with Image.open(photo.path, formats=FORMATS) as image:
        width, height = image.size
    head = (_shares(photo.head, width, height),) if photo.head else None
    bodies: tuple[Corners, ...] | None = None if dog else ()
    if dog and animal is not None:
        ys, xs = np.nonzero(animal == 1)
        bodies = (_shares((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), width, height),)
    return Truth(
        dog=dog,
        animal=animal,
        species=DOG if dog else OTHER,
        bodies=bodies,
        heads=head,
        head_scored=dog,
    )


def truth_of_labelled(photo: LabelledPhoto, boxes: Sequence[Box], width: int, height: int) -> Truth | None:
    """Return what a detector's boxes tell of a labelled photo; None where they tell too little."""
    dogs = [box for box in boxes if box.kind == "dog" and box.score >= LEAST_DOG_SCORE]
    if not dogs:
        return None
    bodies = tuple(_shares(box.corners, width, height) for box in dogs)
    heads = [box for box in boxes if box.kind == "head" and box.score > 0]
    # With several dogs the one annotated head is not all there is to find.
    found = tuple(_shares(h.corners, width, height) for h in heads) if len(dogs) == 1 else ()
    return Truth(dog=True, bodies=bodies, heads=found or None, head_sizes=False)


def train_finder(examples: Sequence[Example], settings: FinderTraining) -> FinderHead:
    """Train new heads; deterministic for equal examples and settings."""
    torch.manual_seed(settings.seed)
    head = FinderHead()
    learning = [p for p in head.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=settings.rate, weight_decay=settings.weight_decay)
    steps = sum(1 for _ in _batches(examples, settings.batch, random.Random(0))) * settings.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.1)
    order = random.Random(settings.seed)
    for _ in track(range(settings.epochs), "Training the finder"):
        for batch in _batches(examples, settings.batch, order):
            optimizer.zero_grad()
            loss = _loss(head, batch, mirrored=order.random() < 0.5)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return head.eval()


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
    loss = 2 * _mask_loss(out["mask"], truths, rows, columns)
    bodies = [(i, t.bodies, True, True) for i, t in enumerate(truths) if t.bodies is not None]
    heads = [(i, t.heads, t.head_sizes, t.head_scored) for i, t in enumerate(truths) if t.heads is not None]
    return loss + _box_loss(out["body"], bodies) + _box_loss(out["head"], heads)


def _mask_loss(logits: Tensor, truths: Sequence[Truth], rows: int, columns: int) -> Tensor:
    """Minus the log of the probability that falls on allowed classes."""
    allowed = torch.stack([mask_target(t, rows, columns) for t in truths])
    chosen = logits.masked_fill(~allowed, float("-inf")).logsumexp(dim=1)
    return (logits.logsumexp(dim=1) - chosen).mean()


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

    return Truth(
        dog=truth.dog,
        animal=None if truth.animal is None else truth.animal[:, ::-1],
        species=truth.species,
        bodies=flip(truth.bodies),
        heads=flip(truth.heads),
        head_sizes=truth.head_sizes,
        head_scored=truth.head_scored,
    )


def _shares(box: Corners, width: int, height: int) -> Corners:
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height
