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
    Doubt(temperature=1.5, sure=0.6, coverage=0.8, least=dict.fromkeys(EMOTIONS, 0.1), slope=-0.5),
)


def test_settings_survive_the_card_and_its_json() -> None:
    assert read_settings(json.loads(json.dumps(SETTINGS.to_card()))) == SETTINGS


def test_a_card_from_before_small_photos_were_spared_enlarges_them_all() -> None:
    finder = SETTINGS.to_card()["finder"]
    assert finder.pop("enlarged") is None
    assert read_settings(SETTINGS.to_card() | {"finder": finder}).finder.side_for(50) == 384


def test_a_card_from_before_there_were_slopes_has_one_temperature() -> None:
    doubt = SETTINGS.to_card()["doubt"]
    assert doubt.pop("slope") == -0.5
    assert read_settings(SETTINGS.to_card() | {"doubt": doubt}).doubt.slope == 0


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


@pytest.mark.parametrize(
    ("room", "key", "value"),
    [
        ("finder", "side", 10**9), ("finder", "side", 100), ("finder", "side", "384"), ("finder", "side", True),
        ("finder", "presence", float("nan")),
        ("finder", "enlarged", 0.5), ("finder", "enlarged", "1"), ("finder", "enlarged", float("inf")),
        ("finder", "presence", 2), ("finder", "box", None), ("finder", "head", -1), ("finder", "mask", 0),
        ("finder", "box_with_head", 2),
        ("classifier", "side", 0), ("classifier", "views", []),
        ("classifier", "views", [{"of": "body", "expand": 1}] * 99),
        ("classifier", "views", [{"of": "tail", "expand": 1.0}]),
        ("classifier", "views", [{"of": "body", "expand": 1e9}]),
        ("classifier", "views", 7), ("doubt", "temperature", 0), ("doubt", "temperature", float("inf")),
        ("doubt", "slope", 1), ("doubt", "slope", float("nan")),
        ("doubt", "sure", "yes"), ("doubt", "coverage", -0.1), ("doubt", "least", {}), ("doubt", "least", 7),
        ("doubt", "least", {"joy": 0.5}), ("doubt", "least", dict.fromkeys(EMOTIONS, 5)),
    ],
)  # fmt: skip
def test_a_setting_out_of_its_range_is_refused(room: str, key: str, value: Any) -> None:
    card = SETTINGS.to_card()
    with pytest.raises(ModelError, match="does not fit this version"):
        read_settings(card | {room: card[room] | {key: value}})


@pytest.mark.parametrize("emotions", [[], "anger", ["joy"], ["anger", "anger"], [["anger"]], 5, None, {"anger": 1}])
def test_emotions_that_are_none_are_refused(emotions: Any) -> None:
    with pytest.raises(ModelError, match="does not fit this version"):
        read_settings(SETTINGS.to_card() | {"emotions": emotions})


def test_a_card_may_tell_fewer_emotions_apart() -> None:
    card = SETTINGS.to_card()
    card["doubt"]["least"] = {"fear": 0.1, "anger": 0.2}
    assert read_settings(card | {"emotions": ["fear", "anger"]}).doubt.least == {"fear": 0.1, "anger": 0.2}
