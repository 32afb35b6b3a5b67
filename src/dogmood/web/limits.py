"""How much is done at once: a bounded pool of workers with a bounded queue before it.

A request takes a place before its photo is even received, so memory is bounded too.
Without a free place it is refused at once and told when to come back: a queue that
grows only makes everybody wait for answers that nobody is there to hear.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

_FIRST_GUESS = 0.5
"""Seconds a job is thought to take before one has been seen."""

_MEMORY = 0.8
"""Weight of the past in the moving average of a job's seconds."""


class Busy(Exception):  # noqa: N818  (a state, not a fault)
    """Every place is taken.

    Attributes:
        retry_after: whole seconds after which a place should be free.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"every place is taken; try again in {retry_after} s")
        self.retry_after = retry_after


class Work:
    """Workers and the places before them; used from one event loop.

    Args:
        workers: how many jobs run at once, each in a thread: the networks and the
            decoders leave Python's lock while they work.
        waiting: how many more may wait.
        clock: seconds that only go forward.
    """

    def __init__(self, workers: int, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.places = workers + waiting
        self.taken = 0
        self._workers = workers
        self._clock = clock
        self._usual = _FIRST_GUESS
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="reading")

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Take a place for as long as the block lasts, or longer while its job still runs.

        Raises:
            Busy: there is none.
        """
        if self.taken >= self.places:
            raise Busy(self.retry_after())
        self.taken += 1
        place = Place(self)
        try:
            yield place
        finally:
            place.leave()

    def retry_after(self) -> int:
        """Return the whole seconds in which all that is waiting now should be done."""
        return max(1, math.ceil(self._usual * self.taken / self._workers))

    def close(self) -> None:
        """Drop what waits and let what runs finish."""
        self._pool.shutdown(cancel_futures=True)

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Start a job as soon as a worker is free."""
        return self._pool.submit(self._timed, job)

    def _timed(self, job: Callable[[], T]) -> T:
        start = self._clock()
        try:
            return job()
        finally:
            self._usual = _MEMORY * self._usual + (1 - _MEMORY) * (self._clock() - start)


class Place:
    """The right to run one job at a time; see `Work.place`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._future: Future[Any] | None = None

    async def run(self, job: Callable[[], T], seconds: float) -> T:
        """Run a job in a worker and return its result.

        A job that has not begun when time is up, or when the caller is cancelled, never
        begins.  One that has begun cannot be stopped: it keeps this place until it ends.

        Raises:
            TimeoutError: it took longer than that, waiting included.
        """
        future = self._work.submit(job)
        self._future = future
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)

    def leave(self) -> None:
        """Give the place back: now, or when its job ends."""
        if self._future is None or self._future.cancel() or self._future.done():
            return self._free()
        loop = asyncio.get_running_loop()

        def ended(_: Future[Any]) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has stopped
                loop.call_soon_threadsafe(self._free)

        return self._future.add_done_callback(ended)

    def _free(self) -> None:
        self._work.taken -= 1
