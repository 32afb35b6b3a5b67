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
    # newline="" lets csv end its own lines.
    form: dict[str, Any] = {"mode": "w", "encoding": "utf-8", "newline": ""} if text else {"mode": "wb"}
    try:
        with os.fdopen(handle, **form) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is private; give the result the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        # A broken pipe is about another file: somebody stopped listening to ours.
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from None
        raise
