"""The VGG variant of Khaireddin & Chen 2021 (arXiv:2105.03588, section 3)."""

from __future__ import annotations

from torch import nn

from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import DenseHead

SIDE = 40
CHANNELS = (64, 128, 256, 512)
WIDTH = 4096
DROPOUT = 0.2


def vggnet(classes: int) -> EmotionNet:
    """Return four stages of two convolutions and three dense layers, for ``(n, 1, 40, 40)``.

    29,890,759 parameters with seven classes.
    """
    stages: list[nn.Module] = []
    before = 1
    for channels in CHANNELS:
        for entering in (before, channels):
            stages += [nn.Conv2d(entering, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
        stages.append(nn.MaxPool2d(2))
        before = channels
    cells = (SIDE // 2 ** len(CHANNELS)) ** 2
    head = DenseHead(
        nn.Linear(before * cells, WIDTH),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(WIDTH, classes),
    )
    return EmotionNet(nn.Sequential(*stages), head, classes)
