from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dogmood.bundle import open_bundle
from dogmood.lab.data.manifest import checksum
from dogmood.lab.measure import measure_model

DATA = Path(__file__).parents[3] / "shared/data"


@pytest.fixture(scope="module", params=["base", "fast"])
def figures(request: pytest.FixtureRequest) -> dict[str, Any]:
    if not (DATA / "emotions/manifest.csv").is_file():
        pytest.skip("the labelled photos, which may not be passed on, are not beside this checkout")
    card = open_bundle(request.param).card
    if checksum(DATA / "emotions") != card["made"]["data"]["emotions/manifest.csv"]:
        pytest.skip("the labelled photos beside this checkout are not those of the shipped model")
    return measure_model(request.param, DATA, "test", ten_crop=False)


def test_the_shipped_file_reproduces_its_card(figures: dict[str, Any]) -> None:
    card = open_bundle(figures["model"]["name"]).card["figures"]["emotions, test"]["five"]
    low, high = card["accuracy"]["interval"]
    assert low <= figures["emotions"]["five"]["accuracy"]["value"] <= high
    assert figures["emotions"]["five"]["n"] == card["n"]


def test_it_reads_five_emotions_better_than_frozen_features(figures: dict[str, Any]) -> None:
    assert figures["emotions"]["five"]["accuracy"]["value"] >= 0.64


def test_it_tells_dogs_from_cats_and_from_nothing(figures: dict[str, Any]) -> None:
    for others in ("no dog", "cats"):
        presence = figures["finder"][f"presence against {others}"]
        assert presence["AUROC"] >= 0.99
        assert presence["false alarms"] <= 0.06
        assert presence["recall"] >= 0.95
