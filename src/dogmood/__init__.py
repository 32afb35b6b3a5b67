"""dogmood reads the emotion a dog visibly shows.

    from dogmood import DogMood
    reading = DogMood().read("rex.jpg")
    reading.dogs[0].emotion, reading.dogs[0].probability

Importing the package is light: pictures and networks are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dogmood.emotions import EMOTIONS
from dogmood.errors import DogMoodError, ModelError, PhotoError, UsageError

if TYPE_CHECKING:
    from dogmood.reader import DogMood
    from dogmood.reading import DogReading, Reading

__version__ = "0.2.0"

__all__ = [
    "EMOTIONS",
    "DogMood",
    "DogMoodError",
    "DogReading",
    "ModelError",
    "PhotoError",
    "Reading",
    "UsageError",
    "__version__",
]

_HOMES = {"DogMood": "reader", "DogReading": "reading", "Reading": "reading"}


def __getattr__(name: str) -> object:
    # Loaded on first use (PEP 562), so that `import dogmood` stays quick.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"dogmood.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'dogmood' has no attribute {name!r}")
