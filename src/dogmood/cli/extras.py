"""What a command says when an optional part of the program is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dogmood.errors import UsageError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing package into a sentence that says which extra to install.

    Args:
        extra: the extra of this package that the commands inside need.

    Raises:
        UsageError: a package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(f"This command needs {error.name}: pip install 'dogmood[{extra}]'.") from None
