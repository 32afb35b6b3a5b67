from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from dogmood.lab.explain.removal import area_under, blanked, blurred, removal_curves
from synthetic import CORNER, SIDE, photo

SHOWN = (0.0, 0.0, 64.0, 64.0)
BLANK = blanked(photo())


def intact(photos: Sequence[np.ndarray]) -> np.ndarray:
    """The share of the corner that is as it was."""
    return np.array([(p[:CORNER, :CORNER] == 250).all(axis=2).mean() for p in photos])


def true_map() -> np.ndarray:
    saliency = np.zeros((SIDE, SIDE), np.float32)
    saliency[:CORNER, :CORNER] = 1
    return saliency


def test_with_the_true_map_the_answer_falls_at_once_and_with_its_opposite_last() -> None:
    curves = removal_curves(intact, photo(), BLANK, [true_map(), 1 - true_map()], SHOWN, steps=16)
    assert curves.shape == (2, 17)
    # The corner is a sixteenth of the photo: gone after the first step, or whole until the last.
    assert curves[0].tolist() == [1] + [0] * 16
    assert curves[1].tolist() == [1] * 16 + [0]
    true, opposite = area_under(curves)
    assert true == pytest.approx(1 / 32)
    assert opposite == pytest.approx(31 / 32)


def test_put_into_another_photo_the_true_corner_raises_the_answer_at_once() -> None:
    blur = blurred(photo(), SHOWN)
    curves = removal_curves(intact, blur, photo(), [true_map()], SHOWN, steps=16)
    assert curves[0, 0] < 0.5
    assert curves[0, 1:].tolist() == [1] * 16


def test_a_map_that_says_nothing_changes_spots_by_chance() -> None:
    curve = removal_curves(intact, photo(), BLANK, [np.zeros((8, 8), np.float32)], SHOWN, steps=10)[0]
    assert curve == pytest.approx(np.linspace(1, 0, 11), abs=0.1)


def test_what_is_not_shown_is_left_alone() -> None:
    seen: list[np.ndarray] = []

    def watch(photos: Sequence[np.ndarray]) -> np.ndarray:
        seen.extend(photos)
        return np.zeros(len(photos))

    removal_curves(watch, photo(), BLANK, [true_map()], (0.0, 0.0, 32.0, 64.0), steps=4)
    assert len(seen) == 5
    assert all((one[:, 32:] == photo()[:, 32:]).all() for one in seen)
    assert (seen[1][:, :32] == BLANK[:, :32]).all()
    changed = [(one != photo()).any(axis=2).mean() for one in seen[2:]]
    assert changed == pytest.approx([1 / 8, 2 / 8, 3 / 8], abs=0.02)


def test_areas_are_means_of_curves() -> None:
    assert area_under(np.array([[1.0, 1.0, 1.0], [1.0, 0.5, 0.0]])).tolist() == [1.0, 0.5]
