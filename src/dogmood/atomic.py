"""Files that are complete or absent, never torn."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dogmood.errors import UsageError


@contextmanager
def atomic_write(path: Path, text: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that takes its name when all is written.

    Args:
        path: the file to be.
        text: open for UTF-8 text instead of bytes.

    Raises:
        UsageError: the folder is absent or cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    partial = Path(name)
    try:
        # newline="" lets csv end its own lines.
        with open(
            handle, "w" if text else "wb", encoding="utf-8" if text else None, newline="" if text else None
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is private; give the result the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
