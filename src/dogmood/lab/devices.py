"""One process a device, each with its share of every batch (torch.distributed)."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from dogmood.errors import DogMoodError
from dogmood.lab import LabError

T = TypeVar("T")


@dataclass(frozen=True)
class Team:
    """The processes that train one network together.

    Attributes:
        rank: this process's number; 0 writes files and shows progress.
        size: how many there are.
        device: where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes and talks."""
        return self.rank == 0

    def share(self, items: Tensor) -> Tensor:
        """Return this process's part of what all have to do."""
        return items[self.rank :: self.size]

    def wrap(self, net: nn.Module) -> nn.Module:
        """Return a network whose gradients are averaged over the team."""
        if self.size == 1:
            return net
        ids = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(net, device_ids=ids)

    def summed(self, values: Tensor) -> Tensor:
        """Return the sum over the team of each value."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def led(self, action: Callable[[], T]) -> T | None:
        """Let the leader do something while the others wait; all leave together if it cannot.

        Returns:
            What it returned to the leader, None to the others.

        Raises:
            DogMoodError: what it raised, on the leader.
            LabError: on the others.
        """
        result, failure = None, None
        if self.leads:
            try:
                result = action()
            except DogMoodError as error:
                failure = error
        # One that left alone would be waited for by all others for ever.
        if self.summed(torch.tensor(float(failure is not None), device=self.device)) > 0:
            raise failure or LabError("The process that writes the run's files has failed.")
        return result

    def follow_leader(self, net: nn.Module) -> None:
        """Give every process the leader's batch-norm statistics, which no gradient averages."""
        if self.size > 1:
            for buffer in net.buffers():
                distributed.broadcast(buffer, 0)


def best_device() -> torch.device:
    """Return the GPU if there is one, the processor otherwise."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def within_memory() -> Iterator[None]:
    """Say in one sentence that a device ran out of memory.

    Raises:
        LabError: it did.
    """
    try:
        yield
    except RuntimeError as error:
        # torch has three kinds of it, and they share no class of their own.
        if not any(words in str(error) for words in ("out of memory", "ALLOC_FAILED", "not enough memory")):
            raise
        raise LabError(
            "The device has no memory left for this: train with a smaller --batch, or wait for what runs beside it."
        ) from None


def run_on_devices(work: Callable[..., Any], devices: int, *arguments: Any) -> Any:
    """Call ``work(team, *arguments)`` on every device and return what the first returned.

    Args:
        work: a function of a module, since other processes must find it.
        devices: how many processes to start.
        arguments: passed on.

    Raises:
        LabError: there are fewer GPUs than asked for, one has no memory left, or a process failed.
        KeyboardInterrupt: several processes were told to stop.
    """
    if devices == 1:
        with within_memory():
            return work(Team(0, 1, best_device()), *arguments)
    gpus = torch.cuda.device_count()
    if gpus and devices > gpus:
        raise LabError(f"--devices {devices}, but this machine has {gpus}.")
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # Processes of one machine meet at a free port of its own choosing.
    config = LaunchConfig(
        1, 1, devices, rdzv_backend="c10d", run_id="dogmood", rdzv_endpoint="localhost:0", max_restarts=0
    )
    # What the launcher would say of processes that end is said by the errors below.
    for name in logging.root.manager.loggerDict:
        if name.startswith("torch.distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        answers = elastic_launch(config, _in_worker)(work, arguments)
    except SignalException:
        raise KeyboardInterrupt from None
    except ChildFailedError as error:
        raise LabError(f"One of {devices} processes failed: {error.get_first_failure()[1].message}") from None
    if isinstance(answers[0], DogMoodError):
        raise answers[0]
    return answers[0]


def _in_worker(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    # Ctrl-C reaches every process of a terminal: the one that started us minds it, and ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _joined_team() as team:
        try:
            with within_memory():
                return work(team, *arguments)
        except DogMoodError as error:  # a sentence for the user: carried home whole
            return error


@contextmanager
def _joined_team() -> Iterator[Team]:
    # What the launcher tells each process that it starts.
    rank, local, size = (int(os.environ[name]) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    # The others wait while the leader cuts photos, which can take long.
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(days=7))
    try:
        yield Team(rank, size, device)
    finally:
        distributed.destroy_process_group()
