"""How many runs fit on one device at once."""

from __future__ import annotations

import torch
from torch.nn import functional

from dogmood.lab.nets.registry import build, spec
from dogmood.lab.optimizers import make_optimizer
from dogmood.lab.settings import RunSettings

SHARE = 0.8
"""Of the GPU's free memory that runs may take together."""

CONTEXT = 600 * 2**20
"""Bytes that a process takes of a GPU before it has computed anything."""

MOST = 8
"""More runs than this gain nothing: they wait for one another."""


def fitting(settings: RunSettings, runs: int) -> int:
    """Return how many runs to have side by side.

    One on a processor, where a run uses every core already; on a GPU as many as its
    free memory holds, judged by a trial step.

    Args:
        settings: of a typical run.
        runs: how many there are to do.
    """
    if not torch.cuda.is_available():
        return 1
    free, _ = torch.cuda.mem_get_info()
    return max(1, min(MOST, runs, int(SHARE * free / (_peak(settings) + CONTEXT))))


def _peak(settings: RunSettings) -> int:
    """Return the bytes that one training step takes at most."""
    known = spec(settings.network)
    net = build(settings.network, len(settings.emotions), pretrained=False).cuda()
    optimizer = make_optimizer(
        settings.optimizer, net.parameters(), settings.rate, settings.momentum, settings.weight_decay
    )
    count = settings.batch * settings.crops
    crops = torch.rand(count, known.channels, known.side, known.side, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    loss = functional.cross_entropy(net(crops), torch.zeros(count, dtype=torch.long, device="cuda"))
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    peak = torch.cuda.max_memory_allocated()
    del net, optimizer, crops, loss
    torch.cuda.empty_cache()
    return peak
