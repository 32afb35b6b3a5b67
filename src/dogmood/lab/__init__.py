"""The lab: how models are trained and measured.  Needs the ``lab`` extra (torch)."""

from __future__ import annotations

from dogmood.errors import DogMoodError


class LabError(DogMoodError):
    """Data, settings or weights that a training cannot be made of."""
