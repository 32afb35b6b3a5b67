from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dogmood.doubt import STEEPEST, Doubt, judge, probabilities_of, softmax, tempered
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


@given(
    arrays(np.float32, 5, elements=st.floats(-50, 50, width=32)),
    st.sets(st.sampled_from(EMOTIONS), min_size=2),
    st.sampled_from([0.0, -STEEPEST]),
)
def test_chosen_emotions_share_the_whole_in_unchanged_proportion(
    logits: np.ndarray, chosen: set[str], slope: float
) -> None:
    emotions = [e for e in EMOTIONS if e in chosen]
    doubt = replace(DOUBT, slope=slope)
    some, every = judge(logits, doubt, emotions).probabilities, judge(logits, doubt).probabilities
    assert list(some) == emotions
    assert sum(some.values()) == pytest.approx(1)
    total = sum(every[e] for e in emotions)
    if total > 1e-6:
        assert some == pytest.approx({e: every[e] / total for e in emotions}, abs=1e-6)


def test_a_slope_softens_the_undecided_more() -> None:
    # Of two emotions alike the entropy is ln 2; of one alone it is 0.
    decided, undecided = np.array([9.0, 0, 0, 0, 0]) * 9, np.array([9.0, 9, 0, 0, 0]) * 9
    assert tempered(decided, 2.0, 0.5) == pytest.approx(decided / 2)
    assert tempered(undecided, 2.0, 0.5) == pytest.approx(undecided / (2 * 2**0.5))
    assert tempered(undecided, 2.0) == pytest.approx(undecided / 2)


FINITE = st.floats(-20, 20)


@given(arrays(np.float64, 5, elements=FINITE), st.floats(1, 3), st.floats(-STEEPEST, STEEPEST))
def test_logits_that_grow_make_no_reading_less_decided(logits: np.ndarray, factor: float, slope: float) -> None:
    before, after = (softmax(tempered(scaled, 1.0, slope)) for scaled in (logits, factor * logits))
    assert after.max() >= before.max() - 1e-9


@given(arrays(np.float32, (3, 5), elements=st.floats(-50, 50, width=32)), st.floats(-STEEPEST, STEEPEST))
def test_many_photos_have_the_probabilities_of_each(logits: np.ndarray, slope: float) -> None:
    doubt = Doubt(2.0, 0.6, 0.7, dict.fromkeys(EMOTIONS, 0.2), slope)
    together = probabilities_of(logits, doubt, ("fear", "relaxed"))
    assert together.shape == (3, 2)
    for photo, row in zip(logits, together, strict=True):
        assert list(judge(photo, doubt, ("fear", "relaxed")).probabilities.values()) == pytest.approx(row)


def test_emotions_that_a_model_does_not_know_change_nothing() -> None:
    doubt = Doubt(2.0, 0.6, 0.7, dict.fromkeys(("anger", "fear"), 0.2), slope=0.5)
    one, other = np.array([1, 0, 0, 0, 0], np.float32), np.array([1, 0, 9, 9, 9], np.float32)
    chosen = ("anger", "fear")
    assert judge(one, doubt, chosen) == judge(other, doubt, chosen)


@pytest.mark.parametrize(("threshold", "sure"), [(0.5, True), (0.51, False)])
def test_at_the_threshold_it_is_sure(threshold: float, sure: bool) -> None:
    doubt = Doubt(1.0, threshold, 0.7, dict.fromkeys(EMOTIONS, 0.2))
    assert judge(np.zeros(5, np.float32), doubt, ("anger", "fear")).sure is sure


def test_the_set_begins_with_the_likeliest() -> None:
    verdict = judge(np.array([0.0, 0.4, 0.8, -99, -99], np.float32), DOUBT)
    assert verdict.possible == ("happiness", "fear", "anger")
