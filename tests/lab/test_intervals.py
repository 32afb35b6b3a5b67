from __future__ import annotations

import numpy as np
import pytest

from dogmood.lab.intervals import bootstrap


def test_matches_the_normal_approximation_for_single_photos() -> None:
    hits = np.arange(400) % 4 != 0  # 0.75
    low, high = bootstrap(lambda drawn: float(hits[drawn].mean()), list(range(400)), rounds=2000)
    spread = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert low == pytest.approx(0.75 - spread, abs=0.01)
    assert high == pytest.approx(0.75 + spread, abs=0.01)


def test_photos_of_one_group_count_as_one() -> None:
    hits = np.repeat(np.arange(40) % 2 == 0, 10)
    alone = bootstrap(lambda drawn: float(hits[drawn].mean()), list(range(400)))
    grouped = bootstrap(lambda drawn: float(hits[drawn].mean()), list(np.repeat(np.arange(40), 10)))
    assert grouped[1] - grouped[0] > 2 * (alone[1] - alone[0])


def test_same_seed_same_interval_and_undefined_draws_left_out() -> None:
    def statistic(drawn: np.ndarray) -> float:
        return float("nan") if 0 in drawn else float(drawn.mean())

    first = bootstrap(statistic, list(range(20)))
    assert first == bootstrap(statistic, list(range(20)))
    assert not np.isnan(first).any()
