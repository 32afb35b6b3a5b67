from __future__ import annotations

import numpy as np
import pytest

from dogmood.lab.explain.occlusion import PLACES, mean_in_parts, occlusion_map, part_boxes, rise_map
from dogmood.lab.explain.probe import Probe
from dogmood.lab.explain.removal import blanked
from dogmood.lab.explain.sanity import rank_correlation
from synthetic import CORNER, DOG, SETTINGS, corner_network, photo

PROBE = Probe(corner_network, SETTINGS, photo(), DOG)
BLANK = blanked(photo())


def test_only_the_corner_that_counts_matters() -> None:
    fallen = occlusion_map(PROBE.margin(0, range(5)), photo(), BLANK, PROBE.shown())
    assert fallen.shape == (PLACES, PLACES)
    assert fallen.argmax() == 0
    far = [box[0] >= CORNER or box[1] >= CORNER for box in part_boxes(PROBE.shown())]
    assert fallen.ravel()[far] == pytest.approx(0, abs=1e-5)
    assert (fallen.ravel()[~np.array(far)] > 0.1).all()


def test_parts_cover_what_is_shown_and_overlap() -> None:
    boxes = part_boxes((10.0, 20.0, 110.0, 70.0))
    assert len(boxes) == PLACES**2
    assert boxes[0] == (10.0, 20.0, 35.0, 32.5)
    assert boxes[-1] == (85.0, 57.5, 110.0, 70.0)
    assert boxes[1][0] < boxes[0][2]


def test_means_in_parts_rank_as_the_map_does() -> None:
    falling = np.linspace(1, 0, 100, dtype=np.float32)[None].repeat(50, 0)
    means = mean_in_parts(falling, 200, 100, (0, 0, 200, 100))
    assert (np.diff(means, axis=1) < 0).all()
    assert np.ptp(means, axis=0) == pytest.approx(0, abs=1e-6)


def test_rise_finds_the_corner_and_the_same_seed_the_same_map() -> None:
    maps = [
        rise_map(PROBE.margin(0, range(5)), photo(), BLANK, PROBE.shown(), masks=300, seed=seed) for seed in (1, 1, 2)
    ]
    assert maps[0].shape == (64, 64)
    corner = maps[0][:CORNER, :CORNER].mean()
    assert corner > maps[0][32:, 32:].mean() + 3 * maps[0][32:, 32:].std()
    assert (maps[0] == maps[1]).all()
    assert rank_correlation(maps[0], maps[2]) < 1
