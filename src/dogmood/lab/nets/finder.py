"""The finder: is there a dog, which cells are dog, and where bodies and heads are."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from dogmood.lab.nets.lite import CHANNELS, LiteBackbone, Maps, imagenet_classifier

BACKDROP, DOG, OTHER = range(3)
"""The three classes of a mask: a dog, another animal, and all the rest."""

MASK_FACTOR = 4
"""Mask cells along each side of a 16-pixel cell: one for every 4 pixels."""

SHARE_FLOOR = 1e-4
"""Added to the share of dog before its log is taken: a photo may show none."""

_HIDDEN = 64
_DOG_CLASSES = slice(151, 269)
"""The 118 dogs among the classes of ImageNet."""


class Presence(nn.Module):
    """Whether a photo shows a dog, from two signs.

    The first is what ImageNet's own classifier says: the log odds of its 118 dogs
    against all else, which has seen a thousand kinds of things that are no dogs.
    The second is the log of the mask's mean.  The weights of the two are fitted once
    the finder is exported (`dogmood.lab.presence`); so few leave little room to learn
    which collection a photo came from.
    """

    def __init__(self) -> None:
        super().__init__()
        self.imagenet = imagenet_classifier().requires_grad_(False)
        # Random until it is fitted: an export merges constants that are equal, such as zeros.
        self.weigh = nn.Linear(2, 1).requires_grad_(False)

    def signs(self, maps: Maps, mask: Tensor) -> Tensor:
        """Return ``(n, 2)`` from the backbone's maps and the mask's logits."""
        logits = self.imagenet(maps.top.mean(dim=(2, 3)))
        dogs = logits[:, _DOG_CLASSES]
        rest = torch.cat([logits[:, : _DOG_CLASSES.start], logits[:, _DOG_CLASSES.stop :]], dim=1)
        odds = dogs.logsumexp(dim=1) - rest.logsumexp(dim=1)
        share = mask.softmax(dim=1)[:, DOG].mean(dim=(1, 2))
        return torch.stack([odds, (share + SHARE_FLOOR).log()], dim=1)

    def forward(self, maps: Maps, mask: Tensor) -> Tensor:
        """Return ``(n,)`` logits."""
        logits: Tensor = self.weigh(self.signs(maps, mask))
        return logits[:, 0]


class FinderHead(nn.Module):
    """Reads the finder's answers off the backbone's maps.

    The maps are joined from coarse to fine as in a feature pyramid (Lin et al.
    2017, arXiv:1612.03144).  Boxes are found as in CenterNet (Zhou et al. 2019,
    arXiv:1904.07850): a map of scores peaks at the middle of each box, and beside
    it stand the distances to the box's four sides (FCOS, arXiv:1904.01355).
    """

    def __init__(self) -> None:
        super().__init__()
        eighth, sixteenth, last, top = CHANNELS
        self.presence = Presence()
        self.from_last = nn.Conv2d(last + top, _HIDDEN, 1)
        self.from_sixteenth = nn.Conv2d(sixteenth, _HIDDEN, 1)
        self.from_eighth = nn.Conv2d(eighth, _HIDDEN, 1)
        self.mix_last, self.mix_sixteenth, self.mix_eighth = (_mix() for _ in range(3))
        self.mask = nn.Conv2d(_HIDDEN, 3 * (MASK_FACTOR // 2) ** 2, 1)
        self.boxes = _mix()
        self.body = nn.Conv2d(_HIDDEN, 5, 1)
        self.head = nn.Conv2d(_HIDDEN, 5, 1)
        for boxes in (self.body, self.head):
            # Most cells are no middle of a box: start from that belief.
            nn.init.constant_(boxes.bias[:1], -4.0)  # type: ignore[index]

    def forward(self, maps: Maps) -> dict[str, Tensor]:
        """Return logits and boxes; a cell is 16 x 16 input pixels.

        Returns:
            ``presence`` ``(n,)`` logits; ``mask`` ``(n, 3, 4 rows, 4 columns)``
            logits; ``body`` and ``head`` ``(n, 5, rows, columns)``: a score logit
            and the distances left, up, right, down in cells, above 0.
        """
        last = self.mix_last(self.from_last(torch.cat([maps.last, maps.top], dim=1)))
        middle = self.mix_sixteenth(self.from_sixteenth(maps.sixteenth) + _doubled(last))
        fine = self.mix_eighth(self.from_eighth(maps.eighth) + _doubled(middle))
        seen = self.boxes(middle)
        mask = functional.pixel_shuffle(self.mask(fine), MASK_FACTOR // 2)
        return {
            "presence": self.presence(maps, mask),
            "mask": mask,
            "body": _distances(self.body(seen)),
            "head": _distances(self.head(seen)),
        }


class FinderNet(nn.Module):
    """Backbone and head together, answering as the model file does.

    Input: RGB ``(n, 3, h, w)`` in [0, 1], sides multiples of 32.
    """

    def __init__(self, backbone: LiteBackbone, head: FinderHead) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what `dogmood.finder.find_dogs` takes, with a first axis of n photos.

        Returns:
            ``presence`` ``(n,)``, ``mask`` ``(n, 4 rows, 4 columns)``, ``body`` and
            ``head`` ``(n, 5, rows, columns)``, probabilities for logits.
        """
        out = self.head(self.backbone(pixels))
        body, head = (torch.cat([out[k][:, :1].sigmoid(), out[k][:, 1:]], dim=1) for k in ("body", "head"))
        return out["presence"].sigmoid(), out["mask"].softmax(dim=1)[:, DOG], body, head


def _mix() -> nn.Sequential:
    return nn.Sequential(nn.GELU(), nn.Conv2d(_HIDDEN, _HIDDEN, 3, padding=1), nn.GELU())


def _doubled(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2.0, mode="nearest")


def _distances(raw: Tensor) -> Tensor:
    return torch.cat([raw[:, :1], functional.softplus(raw[:, 1:]) * 4], dim=1)
