from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.emotions import EMOTIONS
from dogmood.smoothing import Smoother
from dogmood.tracks import KEPT_SECONDS

FEAR = dict(zip(EMOTIONS, (0.02, 0.9, 0.02, 0.02, 0.04), strict=True))
CALM = dict(zip(EMOTIONS, (0.01, 0.01, 0.01, 0.01, 0.96), strict=True))
shares = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(
    lambda p: {e: (x + 1e-9) / (sum(p) + 5e-9) for e, x in zip(EMOTIONS, p, strict=True)}
)


def test_the_first_frame_stands_as_it_is() -> None:
    assert Smoother(1.0).update(1, 7.0, FEAR) == pytest.approx(FEAR)


def test_one_odd_frame_does_not_turn_a_dog() -> None:
    smoother = Smoother(1.0)
    for i in range(10):
        smoother.update(1, i / 5, CALM)
    smoothed = smoother.update(1, 2.0, FEAR)
    assert max(smoothed, key=smoothed.__getitem__) == "relaxed"
    assert smoothed["fear"] > CALM["fear"]


def test_after_one_time_constant_the_old_weighs_a_third() -> None:
    smoother = Smoother(2.0)
    smoother.update(1, 0.0, CALM)
    smoothed = smoother.update(1, 2.0, FEAR)
    old = math.exp(-1)
    expected = {e: CALM[e] ** old * FEAR[e] ** (1 - old) for e in EMOTIONS}
    total = sum(expected.values())
    assert smoothed == pytest.approx({e: p / total for e, p in expected.items()})


@pytest.mark.parametrize("fps", [2, 10, 30])
def test_how_densely_frames_are_sampled_does_not_matter(fps: int) -> None:
    smoother = Smoother(1.0)
    smoother.update(1, 0.0, CALM)
    for i in range(1, fps + 1):
        smoothed = smoother.update(1, i / fps, FEAR)
    whole = Smoother(1.0)
    whole.update(1, 0.0, CALM)
    assert smoothed == pytest.approx(whole.update(1, 1.0, FEAR))


def test_dogs_are_smoothed_apart_and_forgotten_with_their_tracks() -> None:
    smoother = Smoother(1.0)
    smoother.update(1, 0.0, CALM)
    assert smoother.update(2, 0.2, FEAR) == pytest.approx(FEAR)
    smoother.update(2, 0.3 + KEPT_SECONDS, FEAR)
    assert list(smoother.state()) == ["2"]


def test_no_smoothing_changes_nothing() -> None:
    smoother = Smoother(0)
    smoother.update(1, 0.0, CALM)
    assert smoother.update(1, 0.2, FEAR) == FEAR


@given(st.lists(st.tuples(st.floats(0.001, 1), shares), min_size=1, max_size=10), st.floats(0.01, 5))
@settings(deadline=None)
def test_probabilities_stay_probabilities_and_a_saved_state_changes_nothing(
    frames: list[tuple[float, dict[str, float]]], seconds: float
) -> None:
    one, two, time = Smoother(seconds), Smoother(seconds), 0.0
    for step, probabilities in frames:
        time += step
        smoothed = one.update(1, time, probabilities)
        assert sum(smoothed.values()) == pytest.approx(1)
        assert all(0 <= p <= 1 for p in smoothed.values())
        restored = Smoother(seconds)
        restored.restore(json.loads(json.dumps(two.state())))
        two = restored
        assert two.update(1, time, probabilities) == smoothed
