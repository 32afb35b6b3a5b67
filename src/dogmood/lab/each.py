"""Work on many photos, as many at once as there are cores, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from dogmood.in_order import in_order
from dogmood.lab.progress import track

Item = TypeVar("Item")
Result = TypeVar("Result")

ONE_THREAD = 1
"""What a network computes with whose photos come side by side: each has a core already."""


def each(do: Callable[[Item], Result], items: Sequence[Item], label: str) -> Iterator[Result]:
    """Do the same with every item, in threads of their own, and return the results in order.

    Threads are enough where decoders, resizing and networks do the work, as with photos:
    these let other threads go on meanwhile.

    Args:
        do: called side by side.
        items: not many more are begun than there are cores; the others wait for results to be taken.
        label: of the bar.

    Raises:
        Exception: what went wrong with an item, in its turn.
    """
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as threads:

        def begin(item: Item) -> Future[Result]:
            return threads.submit(do, item)

        try:
            for _, result in track(in_order(begin, items, cores), label, len(items)):
                yield result
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
