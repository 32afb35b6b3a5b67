"""What the benchmarks share: how to run things in turn, and one line of JSON as the answer."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from dogmood.bundle import Array, Network
from dogmood.reader import DogMood

DOGMOOD = str(Path(sysconfig.get_path("scripts"), "dogmood"))


class Recorder:
    """Stands in for a network, passes each batch on to it, and keeps the batch."""

    def __init__(self, network: Network) -> None:
        self.batches: list[Array] = []
        self._network = network

    def __call__(self, batch: Array) -> list[Array]:
        self.batches.append(batch)
        return self._network(batch)

    def take(self) -> list[Array]:
        """Hand over the batches kept so far."""
        taken, self.batches = self.batches, []
        return taken


class Plain:
    """A network as one loop runs it soonest: its threads keep the cores while it computes, and only then."""

    def __init__(self, graph: bytes, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: Array) -> None:
        self._session.run(None, {self._input: batch})


def process_seconds(command: Sequence[str]) -> float:
    """Run a command and return the wall time of its whole process."""
    environment = os.environ.copy()
    # With it set, Python would compile an editable install anew at every start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if result.returncode:
        sys.exit(f"{' '.join(command)} left with {result.returncode}: {result.stderr}")
    return seconds


_PEAK = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_megabytes(command: Sequence[str]) -> float:
    """Run a command and return the most memory it held, in MB (10^6 bytes)."""
    # A child's peak starts at its parent's size, so its parent is a small process.
    result = subprocess.run([sys.executable, "-c", _PEAK, *command], stdout=subprocess.PIPE, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    return int(result.stdout) * unit / 1e6


def in_turn(
    first: Callable[[int], float], second: Callable[[int], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Call both with each round's number, one or the other leading by turns; return what they gave."""
    results: dict[Callable[[int], float], list[float]] = {first: [], second: []}
    for i in range(rounds):
        for measure in (first, second) if i % 2 == 0 else (second, first):
            results[measure].append(measure(i))
    return results[first], results[second]


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> dict[str, Any]:
    """Return the median of the pairs' ratios and their spread."""
    each = [a / b for a, b in zip(numerators, denominators, strict=True)]
    low, high = np.quantile(each, [0.25, 0.75])
    return {
        "ratio": round(statistics.median(each), 4),
        "quartiles": [round(float(low), 4), round(float(high), 4)],
        "range": [round(min(each), 4), round(max(each), 4)],
    }


def print_line(benchmark: str, **figures: Any) -> None:
    """Print a benchmark's answer with what it ran on."""
    ran_on = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("dogmood", "onnxruntime", "numpy", "pillow")},
    }
    print(json.dumps({"benchmark": benchmark, **figures, "ran on": ran_on}))


def model_of(dogmood: DogMood) -> dict[str, str]:
    return {"name": dogmood.model.name, "version": dogmood.model.version, "sha256": dogmood.model.sha256}


def rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]
