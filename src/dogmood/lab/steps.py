"""Results of long work, kept on disk so that what was stopped goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import load_file
from torch import nn

from dogmood.lab.run import save_tensors

Net = TypeVar("Net", bound=nn.Module)


class Steps:
    """Finished steps, each named by what it depends on.

    Args:
        work: the folder that holds them.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        work.mkdir(parents=True, exist_ok=True)

    def weights(self, name: str, depends: Any, net: Net, make: Callable[[Path], nn.Module]) -> Net:
        """Load a network's weights, or make and keep them.

        Args:
            name: of the step.
            depends: all that the result depends on, as JSON can hold it.
            net: takes the weights.
            make: returns the trained network, given a path for checkpoints.
        """
        digest = hashlib.sha256(json.dumps(depends, default=str).encode()).hexdigest()[:12]
        path = self.work / f"{name}-{digest}.safetensors"
        if not path.exists():
            save_tensors(path, make(path.with_suffix(".checkpoint")).state_dict(), {})
        net.load_state_dict(load_file(path))
        return net.eval()
