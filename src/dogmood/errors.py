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
