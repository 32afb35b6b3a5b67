"""MBCC-CNN (Shi, Tan & Wang, IEEE Access 2021, 10.1109/ACCESS.2021.3063493).

Stated there: the order of the blocks, their channels, the branches of the 4-branch
block, the shape of the tree block, 40 convolutions, batch norm throughout,
he_uniform, and 4,375,327 trainable parameters with seven classes.  Not stated: the
kernels of the residual and the tree block.  With every one of them 3 x 3, three
convolutions and a convolved shortcut in the residual block, and a bias beside each
batch norm, both counts come out exactly; other kernels can give them too, but none
that is as plain.  Its L2 penalty of 0.01 is not part of the network: weight decay is a
setting of the run.
"""

from __future__ import annotations

from torch import Tensor, nn

from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import CellHead

SIDE = 48
STEM, STAGES, TOP = 32, (72, 144), 288


def mbcc_cnn(classes: int) -> EmotionNet:
    """Return the network, for ``(n, 1, 48, 48)``."""
    blocks: list[nn.Module] = [_conv(1, STEM, padding=0)]
    before = STEM
    for channels in STAGES:
        blocks += [Residual(before, channels), Branches(channels), Tree(channels)]
        before = channels
    net = EmotionNet(nn.Sequential(*blocks, _conv(before, TOP)), CellHead(TOP, classes), classes)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return net


class Residual(nn.Module):
    """Three convolutions beside a convolved shortcut."""

    def __init__(self, before: int, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(_conv(before, channels), _conv(channels, channels), _conv(channels, channels))
        self.shortcut = _conv(before, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n, channels, rows, columns)``."""
        added: Tensor = self.main(x) + self.shortcut(x)
        return added


class Branches(nn.Module):
    """A 1 x 1 convolution and chains of one, two and three 3 x 3 ones, summed; half the side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        chains = [nn.Sequential(*(_conv(channels, channels) for _ in range(length))) for length in (1, 2, 3)]
        self.branches = nn.ModuleList([_conv(channels, channels, kernel=1, padding=0), *chains])
        self.pool = nn.MaxPool2d(3, 2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n, channels, rows / 2, columns / 2)``."""
        pooled: Tensor = self.pool(sum(branch(x) for branch in self.branches))
        return pooled


class Tree(nn.Module):
    """One convolution, then two, then four, with a pooling between; the leaves summed and convolved."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.root = _conv(channels, channels)
        self.boughs = nn.ModuleList(_conv(channels, channels) for _ in range(2))
        self.leaves = nn.ModuleList(_conv(channels, channels) for _ in range(4))
        self.pools = nn.ModuleList(nn.MaxPool2d(3, 2, padding=1) for _ in range(2))
        self.last = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n, channels, rows / 2, columns / 2)``."""
        root = self.root(x)
        boughs = [pool(bough(root)) for bough, pool in zip(self.boughs, self.pools, strict=True)]
        added = sum(leaf(boughs[i // 2]) for i, leaf in enumerate(self.leaves))
        top: Tensor = self.last(added)
        return top


def _conv(before: int, channels: int, kernel: int = 3, padding: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, channels, kernel, padding=padding), nn.BatchNorm2d(channels), nn.ReLU())
