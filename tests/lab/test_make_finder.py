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


def test_one_in_a_hundred_cats_or_empty_pictures_may_reach_the_threshold(graph: bytes, small_data: Path) -> None:
    settings = read_settings(open_bundle("fast").card).finder
    chosen, figures = with_thresholds(graph, settings, small_data)
    finder = Finder(Network(graph), eager(chosen))
    seen = [one for split in ("train", "valid") for one in look_at_pets(finder, small_data, split)]
    passing = [sum(one.found.presence >= chosen.presence for one in seen if one.photo.kind == kind) for kind in OTHERS]
    assert max(passing) == 1
    assert figures["presence against cats"]["n others"] > 0
    assert chosen == replace(settings, presence=chosen.presence, mask=chosen.mask)
