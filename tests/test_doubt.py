from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dogmood.doubt import Doubt, judge
from dogmood.emotions import EMOTIONS

DOUBT = Doubt(temperature=2.0, sure=0.6, coverage=0.7, least=dict.fromkeys(EMOTIONS, 0.2))


def test_temperature_softens() -> None:
    logits = np.array([2 * np.log(3), 0, -99, -99, -99], np.float32)
    verdict = judge(logits, DOUBT)
    assert verdict.probabilities["anger"] == pytest.approx(0.75, abs=1e-6)
    assert (verdict.emotion, verdict.sure, verdict.possible) == ("anger", True, ("anger", "fear"))


def test_below_the_threshold_it_is_not_sure() -> None:
    verdict = judge(np.zeros(5, np.float32), DOUBT)
    assert not verdict.sure
    assert set(verdict.possible) == set(EMOTIONS)


def test_the_set_is_never_empty() -> None:
    strict = Doubt(1.0, 0.9, 0.7, dict.fromkeys(EMOTIONS, 0.99))
    verdict = judge(np.array([0, 0, 1, 0, 0], np.float32), strict)
    assert verdict.possible == ("happiness",)


@given(arrays(np.float32, 5, elements=st.floats(-50, 50, width=32)), st.sets(st.sampled_from(EMOTIONS), min_size=2))
def test_chosen_emotions_share_the_whole_in_unchanged_proportion(logits: np.ndarray, chosen: set[str]) -> None:
    emotions = [e for e in EMOTIONS if e in chosen]
    some, every = judge(logits, DOUBT, emotions).probabilities, judge(logits, DOUBT).probabilities
    assert list(some) == emotions
    assert sum(some.values()) == pytest.approx(1)
    total = sum(every[e] for e in emotions)
    if total > 1e-6:
        assert some == pytest.approx({e: every[e] / total for e in emotions}, abs=1e-6)


@pytest.mark.parametrize(("threshold", "sure"), [(0.5, True), (0.51, False)])
def test_at_the_threshold_it_is_sure(threshold: float, sure: bool) -> None:
    doubt = Doubt(1.0, threshold, 0.7, dict.fromkeys(EMOTIONS, 0.2))
    assert judge(np.zeros(5, np.float32), doubt, ("anger", "fear")).sure is sure


def test_the_set_begins_with_the_likeliest() -> None:
    verdict = judge(np.array([0.0, 0.4, 0.8, -99, -99], np.float32), DOUBT)
    assert verdict.possible == ("happiness", "fear", "anger")
