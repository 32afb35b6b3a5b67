"""What every network of the lab is: features over the picture, and a head that reads them."""

from __future__ import annotations

from torch import Tensor, nn

from dogmood.lab.nets.heads import Answer, CellHead, DenseHead


class EmotionNet(nn.Module):
    """Tells emotions apart.

    Args:
        features: takes pixels ``(n, channels, side, side)`` in [0, 1], returns
            ``(n, channels, rows, columns)``.
        head: takes those.
        classes: how many emotions are told apart.
    """

    def __init__(self, features: nn.Module, head: CellHead | DenseHead, classes: int) -> None:
        super().__init__()
        self.features = features
        self.head = head
        self.classes = classes

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits ``(n, classes)``."""
        logits: Tensor = self.head(self.features(pixels))
        return logits

    def answer(self, pixels: Tensor) -> Answer:
        """Return logits and what each cell adds to them, in evaluation mode."""
        return self.head.answer(self.features(pixels))
