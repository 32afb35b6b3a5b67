"""A progress bar on a terminal; silence when piped."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], label: str, count: int | None = None) -> Iterable[T]:
    """Iterate with a bar, rate and remaining time on the error stream.

    Args:
        items: what is iterated over.
        label: of the bar.
        count: how many items there are, where they do not know it themselves.
    """
    from rich.console import Console
    from rich.progress import track as rich_track

    console = Console(stderr=True)
    return rich_track(items, description=label, total=count, console=console, disable=not sys.stderr.isatty())
