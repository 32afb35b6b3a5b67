from __future__ import annotations

import json
from typing import Any

import pytest

from dogmood.card import Settings, read_settings
from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import Doubt
from dogmood.emotions import EMOTIONS
from dogmood.errors import ModelError
from dogmood.finder import FinderSettings

SETTINGS = Settings(
    FinderSettings(side=384, presence=0.5, box=0.4, head=0.1),
    ClassifierSettings(side=224, views=(View("body", 1.0), View("head", 1.5))),
    Doubt(temperature=1.5, sure=0.6, coverage=0.8, least=dict.fromkeys(EMOTIONS, 0.1)),
)


def test_settings_survive_the_card_and_its_json() -> None:
    assert read_settings(json.loads(json.dumps(SETTINGS.to_card()))) == SETTINGS


def test_what_else_a_card_holds_is_no_matter() -> None:
    assert read_settings(SETTINGS.to_card() | {"made": {"command": "python"}}) == SETTINGS


@pytest.mark.parametrize("room", ["finder", "classifier", "doubt"])
@pytest.mark.parametrize("value", [None, {}, {"colour": "red"}])
def test_a_card_without_a_room_s_settings_is_refused(room: str, value: Any) -> None:
    with pytest.raises(ModelError, match="does not fit this version"):
        read_settings(SETTINGS.to_card() | {room: value})


def test_an_unknown_setting_is_refused_by_name() -> None:
    finder = SETTINGS.to_card()["finder"] | {"whiskers": 12}
    with pytest.raises(ModelError, match="whiskers"):
        read_settings(SETTINGS.to_card() | {"finder": finder})
