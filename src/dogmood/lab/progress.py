"""A progress bar on a terminal; silence when piped."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def track(items: Sequence[T], label: str) -> Iterable[T]:
    """Iterate with a bar, rate and remaining time on the error stream."""
    from rich.console import Console
    from rich.progress import track as rich_track

    console = Console(stderr=True)
    return rich_track(items, description=label, console=console, disable=not sys.stderr.isatty())
