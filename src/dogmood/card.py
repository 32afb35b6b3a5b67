"""The part of a model's card that a reading depends on, as typed settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import Doubt
from dogmood.errors import ModelError
from dogmood.finder import FinderSettings


@dataclass(frozen=True)
class Settings:
    """How a model finds, classifies and doubts."""

    finder: FinderSettings
    classifier: ClassifierSettings
    doubt: Doubt

    def to_card(self) -> dict[str, Any]:
        """Return the settings as a card holds them."""
        return asdict(self)


def read_settings(card: Mapping[str, Any]) -> Settings:
    """Read the settings of a card.

    Raises:
        ModelError: a setting is missing or unknown.
    """
    try:
        views = tuple(View(**view) for view in card["classifier"]["views"])
        return Settings(
            finder=FinderSettings(**card["finder"]),
            classifier=ClassifierSettings(side=card["classifier"]["side"], views=views),
            doubt=Doubt(**card["doubt"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The model's card does not fit this version of dogmood: {error}.") from None
