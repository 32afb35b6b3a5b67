"""The models that one server reads with, each loaded once."""

from __future__ import annotations

from threading import Lock

from dogmood.bundle import shipped_models
from dogmood.errors import UsageError
from dogmood.reader import DogMood
from dogmood.web.settings import Settings


class Readers:
    """Hands out readers by model name and emotions.

    A request may name the server's own model or a shipped one, never a path.

    Args:
        settings: which model and emotions are taken unless a request says otherwise.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.default = DogMood(settings.model, settings.emotions, settings.ten_crop)
        self._loaded = {self.default.model.name: self.default}
        self._loading = Lock()

    def names(self) -> tuple[str, ...]:
        """Return the names that requests may ask for, the server's own first."""
        own = self.default.model.name
        return own, *(name for name in shipped_models() if name != own)

    def check(self, model: str | None) -> None:
        """Refuse a name that is not one of `names`.

        Raises:
            UsageError: it is none.
        """
        if model is not None and model not in self.names():
            raise UsageError(f"There is no model {model[:80]!r} here: choose from {', '.join(self.names())}.")

    def reader(self, model: str | None = None, emotions: str | None = None) -> DogMood:
        """Return the reader for a request; a model is loaded when it is first asked for.

        Raises:
            UsageError: the model or an emotion is unknown here.
        """
        self.check(model)
        found = self.default if model is None else self._by_name(model)
        return found if emotions is None else found.choosing(emotions)

    def _by_name(self, model: str) -> DogMood:
        with self._loading:
            if model not in self._loaded:
                self._loaded[model] = DogMood(model, self._settings.emotions, self._settings.ten_crop)
            return self._loaded[model]
