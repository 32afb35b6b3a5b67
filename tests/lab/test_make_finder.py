from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.finder import Finder
from dogmood.lab.finder_metrics import eager
from dogmood.lab.make_finder import with_thresholds
from dogmood.lab.measure import look_at_pets
from dogmood.lab.presence import weigh_presence

OTHERS = ("cat", "none")


@pytest.fixture(scope="module")
def graph(small_data: Path) -> bytes:
    """A finder that knows nothing of painted animals, so that presences lie between 0 and 1."""
    bundle = open_bundle("fast")
    return weigh_presence(bundle.finder, read_settings(bundle.card).finder, small_data)


def test_the_threshold_lies_between_dogs_and_the_rest(graph: bytes, small_data: Path) -> None:
    settings = read_settings(open_bundle("fast").card).finder
    chosen, figures = with_thresholds(graph, settings, small_data)
    seen = look_at_pets(Finder(Network(graph), eager(chosen)), small_data, "valid")
    dogs = [one.found.presence for one in seen if one.photo.kind == "dog"]
    others = [one.found.presence for one in seen if one.photo.kind in OTHERS]
    assert max(others) < chosen.presence < min(dogs)
    assert figures["presence against cats"]["n others"] > 0
    assert chosen == replace(settings, presence=chosen.presence, mask=chosen.mask)
