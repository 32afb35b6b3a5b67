"""Work that is done ahead, in threads, while its results are asked for one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    begin: Callable[[Item], Future[Result]], items: Iterable[Item], ahead: int
) -> Iterator[tuple[Item, Result]]:
    """Begin the work on items ahead of time, and hand each on with its result, in order.

    Args:
        begin: hands the work on an item to a thread.
        items: as many as there are; they are asked for as they are needed.
        ahead: how many are begun beyond the one whose result is waited for: what is in
            memory does not grow with their number.

    Yields:
        Each item with its result.  What went wrong with an item, or with asking for it, is
        raised when it would have been its turn.
    """
    source = iter(items)
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    problem: Exception | None = None
    more = True
    while more or waiting:
        while more and len(waiting) <= ahead:
            try:
                item = next(source)
            except StopIteration:
                more = False
            except Exception as error:
                problem, more = error, False
            else:
                waiting.append((item, begin(item)))
        if waiting:
            item, future = waiting.popleft()
            yield item, future.result()
    if problem is not None:
        raise problem
