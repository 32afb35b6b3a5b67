from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.lab import LabError
from dogmood.lab.optimizers import OPTIMIZERS
from dogmood.lab.schedulers import SCHEDULERS
from dogmood.lab.settings import RunSettings, settings_of


def test_the_defaults_are_the_protocol_s() -> None:
    settings = settings_of({"data": "photos"})
    assert (settings.epochs, settings.batch, settings.rate, settings.crops) == (300, 64, 0.01, 10)
    assert (settings.momentum, settings.weight_decay) == (0.9, 1e-4)
    assert (settings.optimizer, settings.scheduler) == ("sgd_nesterov", "reduce_on_plateau")


@given(
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    scheduler=st.sampled_from(sorted(SCHEDULERS)),
    rate=st.floats(1e-6, 1),
    emotions=st.sampled_from(["anger,fear,happiness,sadness", "anger,relaxed"]),
    seed=st.integers(0, 10**6),
)
def test_settings_survive_their_file(**given: Any) -> None:
    settings = settings_of({"data": "photos", **given})
    assert settings_of(json.loads(json.dumps(settings.to_dict()))) == settings


def test_an_optimizer_without_a_rate_takes_its_own() -> None:
    assert settings_of({"data": "x", "optimizer": "adam"}).rate == 1e-3
    assert settings_of({"data": "x", "optimizer": "adam", "rate": 0.5}).rate == 0.5


def test_pretrained_transformers_are_not_undone_by_the_protocol_s_rate() -> None:
    def start(**given: Any) -> tuple[str, float]:
        settings = settings_of({"data": "x", "network": "dinov2_s", **given})
        return settings.optimizer, settings.rate

    assert start() == ("adamw", 1e-5)
    assert start(pretrained=False) == ("sgd_nesterov", 0.01)
    assert start(optimizer="sgd") == ("sgd", 0.01)
    assert start(rate=0.1) == ("sgd_nesterov", 0.1)


def test_another_network_than_the_earlier_run_s_is_trained_as_it_wants_to_be() -> None:
    def start(base: RunSettings, **given: Any) -> tuple[str, float]:
        settings = settings_of(given, base)
        return settings.optimizer, settings.rate

    paper, large = (settings_of({"data": "x", "network": network}) for network in ("vggnet", "dinov2_s"))
    assert start(paper, network="dinov2_s") == ("adamw", 1e-5)
    assert start(paper, network="dinov2_s", pretrained=False) == ("sgd_nesterov", 0.01)
    assert start(paper, network="dinov2_s", rate=0.1) == ("sgd_nesterov", 0.1)
    assert start(large, network="vggnet") == ("sgd_nesterov", 0.01)
    assert start(settings_of({"rate": 0.1}, large), network="vggnet") == ("adamw", 0.1)
    # Named once, it holds for the same network again.
    assert start(settings_of({"rate": 0.1}, large), network="dinov2_s") == ("adamw", 0.1)


def test_what_is_given_goes_before_what_an_earlier_run_had() -> None:
    base = settings_of({"data": "x", "epochs": 7, "seed": 3})
    assert settings_of({"seed": 4, "epochs": None}, base) == RunSettings("x", epochs=7, seed=4)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"network": "resnet"}, "vggnet"),
        ({"optimizer": "lion"}, "adagrad"),
        ({"scheduler": "cosinus"}, "cosine"),
        ({"cut": "tail"}, "head, body, photo"),
        ({"augmentation": "wild"}, "protocol"),
        ({"precision": "double"}, "mixed"),
        ({"crops": 5}, "1 or 10"),
        ({"epochs": 0}, "above 0"),
        ({"rate": float("nan")}, "above 0"),
        ({"rate": float("inf")}, "such as 0.01"),
        ({"seed": -1}, "from 0 to 18446744073709551615"),
        ({"seed": 2**64}, "from 0 to 18446744073709551615"),
        ({"momentum": 1.0}, "below 1"),
        ({"batch": 7, "devices": 2}, "evenly"),
        ({"emotions": "anger,boredom"}, "boredom"),
        ({"emotions": "anger"}, "two"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_settings_are_refused_by_name(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(LabError, match=words):
        settings_of({"data": "x", **wrong})


def test_no_data_no_run() -> None:
    with pytest.raises(LabError, match="--data"):
        settings_of({})
