"""The errors a user can meet: each message is one sentence that says what to do."""

from __future__ import annotations


class DogMoodError(Exception):
    """Anything that a user can mend; the message says what is wrong and how."""


class PhotoError(DogMoodError):
    """A photo that cannot be read."""


class PhotoTooLargeError(PhotoError):
    """A photo with more pixels than are unpacked."""


class ModelError(DogMoodError):
    """A model file that is absent, damaged, foreign or of another version."""


class UsageError(DogMoodError):
    """A wrong option, emotion name, path or output."""


class PathTooLongError(UsageError):
    """A path that is too long for a file."""


class VideoError(DogMoodError):
    """A video that cannot be read."""


def plainly(error: Exception, most: int = 160) -> str:
    """Return what another library says of an error: one line of letters, without the full stop."""
    # The number that stands before a system's own words tells nobody anything.
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    lines = said.strip().splitlines()
    text = printable(lines[0]) if lines else ""
    return text[:most].strip().rstrip(".") or type(error).__name__


def printable(text: str) -> str:
    """Return text with "?" for what could steer a terminal: names of files may hold anything."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)
