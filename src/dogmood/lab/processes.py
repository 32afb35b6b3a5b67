"""Processes to work in, side by side, that end when the work is stopped."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

_FAREWELL = 30.0
"""Seconds that processes which are stopped are given to leave by themselves."""


@contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes to work in; whatever ends the block early ends them too, in the middle of their runs."""
    others = set(multiprocessing.active_children())
    # A process a run, begun afresh: a GPU's memory is given back when it ends.
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        # Once more while there are any: the last one to end may have been followed by another.
        while ours := set(multiprocessing.active_children()) - others:
            _end(ours)
        raise
    pool.shutdown()


def _end(workers: Collection[BaseProcess]) -> None:
    # Runs survive it: they go on from their last epoch.
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(_FAREWELL)
        if worker.is_alive():
            worker.kill()


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Keep Ctrl-C waiting; from processes and threads that are begun meanwhile it is kept for good.

    A terminal sends it to every process, and each would tell of it in a traceback; this one ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
