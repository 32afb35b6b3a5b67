"""A Ray cluster on this machine, for tests: a head without room for work, and nodes with room for one worker each.

Whoever imports the fixture `cluster` gets one of two nodes for all tests of the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

Found = TypeVar("Found")

_MEMORY = 80 * 1024 * 1024
"""Nearly the least that Ray takes for objects."""


@contextmanager
def started(nodes: int = 2) -> Iterator[Any]:
    """Start a cluster of so many nodes and end it."""
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=0, include_dashboard=False, object_store_memory=_MEMORY)
        for _ in range(nodes):
            add_node(cluster)
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with started() as two_nodes:
        yield two_nodes


def add_node(cluster: Any) -> None:
    cluster.add_node(num_cpus=1, object_store_memory=_MEMORY)
    cluster.wait_for_nodes()


def node_of(cluster: Any, process: int) -> Any:
    """Return the node that a worker runs on."""
    parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return next(node for node in cluster.worker_nodes if node.all_processes["raylet"][0].process.pid == parent)


def children(process: int) -> list[int]:
    """Return the processes that one has started (Linux); none where it has ended."""
    with suppress(OSError):
        return [
            int(child) for of in Path(f"/proc/{process}/task").glob("*/children") for child in of.read_text().split()
        ]
    return []


def awaited(look: Callable[[], Found | None], seconds: float = 120) -> Found:
    """Return what is there, once it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.01)
    raise AssertionError("nothing came")
