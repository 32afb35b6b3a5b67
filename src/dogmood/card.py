"""The part of a model's card that a reading depends on, as typed settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import STEEPEST, Doubt
from dogmood.emotions import EMOTIONS
from dogmood.errors import ModelError, plainly
from dogmood.finder import STRIDE, FinderSettings

_MOST_SIDE = 4096
"""Pixels along a network's input: what memory can bear."""

_MOST_VIEWS = 16


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
        settings = Settings(
            finder=FinderSettings(**card["finder"]),
            classifier=ClassifierSettings(side=card["classifier"]["side"], views=views),
            doubt=Doubt(**card["doubt"]),
        )
        _check(settings, card.get("emotions", list(EMOTIONS)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"The model's card does not fit this version of dogmood: {plainly(error)}.") from None
    return settings


def _check(settings: Settings, emotions: Any) -> None:
    """Refuse what no network of ours could have been made with.

    Raises:
        ValueError: names the setting.
    """
    finder, classifier, doubt = settings.finder, settings.classifier, settings.doubt
    if not isinstance(emotions, list) or not emotions or sorted(emotions) != sorted(set(emotions) & set(EMOTIONS)):
        raise ValueError("emotions")
    if not set(emotions) <= doubt.least.keys() <= set(EMOTIONS):
        raise ValueError("least")
    for name, side in (("finder side", finder.side), ("classifier side", classifier.side)):
        if type(side) is not int or not 16 <= side <= _MOST_SIDE:
            raise ValueError(name)
    if finder.side % STRIDE:
        raise ValueError("finder side")
    if not 1 <= len(classifier.views) <= _MOST_VIEWS:
        raise ValueError("views")
    numbers = {
        "presence": (finder.presence, 0, 1),
        "box": (finder.box, 0, 1),
        "head": (finder.head, 0, 1),
        "mask": (finder.mask, 0.001, 0.999),
        "box_with_head": (finder.box_with_head, 0, 1),
        "temperature": (doubt.temperature, 1e-3, 1e3),
        "slope": (doubt.slope, -STEEPEST, STEEPEST),
        "sure": (doubt.sure, 0, 2),
        "coverage": (doubt.coverage, 0, 1),
        **{f"least {emotion}": (least, 0, 2) for emotion, least in doubt.least.items()},
        **{f"view {i}": (view.expand, 0.1, 10) for i, view in enumerate(classifier.views)},
    }
    if finder.enlarged is not None:
        numbers["enlarged"] = (finder.enlarged, 1, 100)
    for name, (number, low, high) in numbers.items():
        # Neither true nor "0.5", and NaN lies in no range.
        if type(number) not in (int, float) or not low <= number <= high:
            raise ValueError(name)
