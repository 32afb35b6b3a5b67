from __future__ import annotations

from pathlib import Path

import pytest

from dogmood.bundle import open_bundle
from dogmood.lab.data.manifest import checksum
from dogmood.lab.measure import measure_model

DATA = Path(__file__).parents[3] / "shared/data"


@pytest.mark.parametrize("model", ["base", "fast"])
def test_the_shipped_file_reproduces_its_card_and_tells_dogs_from_others(model: str) -> None:
    """One test, since all of it hangs on one measurement of a minute or two."""
    if not (DATA / "emotions/manifest.csv").is_file():
        pytest.skip("the labelled photos, which may not be passed on, are not beside this checkout")
    card = open_bundle(model).card
    if checksum(DATA / "emotions") != card["made"]["data"]["emotions/manifest.csv"]:
        pytest.skip("the labelled photos beside this checkout are not those of the shipped model")
    # The smaller of the two splits that nothing was trained on.
    figures = measure_model(model, DATA, "valid", ten_crop=False)
    five, said = figures["emotions"]["five"], card["figures"]["emotions, valid"]["five"]
    low, high = said["accuracy"]["interval"]
    assert low <= five["accuracy"]["value"] <= high
    assert five["n"] == said["n"]
    # Better than one regression on frozen features.
    assert five["accuracy"]["value"] >= 0.70
    for others in ("no dog", "cats"):
        presence = figures["finder"][f"presence against {others}"]
        assert presence["AUROC"] >= 0.99
        assert presence["false alarms"] <= 0.06
        assert presence["recall"] >= 0.95
