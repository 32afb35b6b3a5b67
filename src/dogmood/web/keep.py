"""Storing photos and readings, where the server was told to: `--keep FOLDER`."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.errors import UsageError
from dogmood.outputs import json_line
from dogmood.reading import Reading
from dogmood.web.uploads import Upload


class Keep:
    """A folder that each photo goes into, with its reading beside it as JSON.

    The names are ours, the time (UTC) and four random bytes: what a sender calls a
    photo stands in the reading's ``source`` alone.

    Args:
        folder: where to; made if it is not there.

    Raises:
        UsageError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
        clear_leftovers(folder)
        self.folder = folder

    def store(self, upload: Upload, reading: Reading) -> Path:
        """Write both files, each complete or absent, and return the photo's path.

        Raises:
            UsageError: the folder cannot be written to.
        """
        stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        photo = self.folder / f"{stem}{upload.suffix or ''}"
        with atomic_write(photo) as file:
            file.write(upload.data)
        # The reading comes second: where it stands, its photo stands too.
        try:
            with atomic_write(photo.with_suffix(".json"), text=True) as file:
                file.write(json_line(reading) + "\n")
        except BaseException:
            with suppress(OSError):
                photo.unlink()
            raise
        return photo
