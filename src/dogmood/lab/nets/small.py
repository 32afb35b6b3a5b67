"""The small networks of the original experiment, for grey pictures."""

from __future__ import annotations

from torch import nn

from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import DenseHead

SHALLOW_SIDE = 40
SEQUENTIAL_SIDE = 100


def shallow_cnn(classes: int) -> EmotionNet:
    """Return one convolution stage and two dense layers, for ``(n, 1, 40, 40)``.

    The original experiment compares with a "shallow CNN" that it defines nowhere;
    this is our reading of the words.
    """
    features = nn.Sequential(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2))
    width = 32 * ((SHALLOW_SIDE - 4) // 2) ** 2
    head = DenseHead(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, classes))
    return EmotionNet(features, head, classes)


def sequential_cnn(classes: int) -> EmotionNet:
    """Return the "sequential CNN" of the original experiment, for ``(n, 1, 100, 100)``.

    2,628,420 parameters with four classes, counted as Keras does: with the running
    statistics of the batch norms.
    """
    features = nn.Sequential(*_stage(1, 32), *_stage(32, 64))
    width = 64 * (SEQUENTIAL_SIDE // 4) ** 2
    head = DenseHead(*_dense(width, 64), *_dense(64, 32), nn.Linear(32, classes))
    return EmotionNet(features, head, classes)


def _stage(before: int, channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for entering in (before, channels):
        layers += [nn.Conv2d(entering, channels, 3, padding=1), nn.ELU(), nn.BatchNorm2d(channels)]
    return [*layers, nn.MaxPool2d(2), nn.Dropout(0.2)]


def _dense(before: int, width: int) -> list[nn.Module]:
    return [nn.Linear(before, width), nn.ELU(), nn.BatchNorm1d(width), nn.Dropout(0.5)]
