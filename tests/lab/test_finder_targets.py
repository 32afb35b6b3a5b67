from __future__ import annotations

import numpy as np
import pytest

from dogmood.lab.finder_targets import Truth, box_target, mask_target, soft_target
from dogmood.lab.nets.finder import BACKDROP, DOG, OTHER

HALF = np.array([[1, 1, 2, 2]] * 4, np.uint8)


def test_an_exact_mask_allows_one_class_a_cell() -> None:
    allowed = mask_target(Truth(dog=True, animal=HALF, species=DOG), rows=1, columns=1)
    assert allowed[DOG].tolist() == [[True, True, False, False]] * 4
    assert allowed[BACKDROP].tolist() == [[False, False, True, True]] * 4
    assert not allowed[OTHER].any()


def test_the_edge_of_a_mask_may_be_either() -> None:
    allowed = mask_target(Truth(dog=False, animal=np.full((4, 4), 3, np.uint8), species=OTHER), 1, 1)
    assert allowed[OTHER].all()
    assert allowed[BACKDROP].all()
    assert not allowed[DOG].any()


def test_outside_a_body_box_nothing_is_dog() -> None:
    allowed = mask_target(Truth(dog=True, bodies=((0.0, 0.0, 0.5, 1.0),)), 1, 1)
    assert allowed[DOG].tolist() == [[True, True, False, False]] * 4
    assert allowed[BACKDROP].all()


def test_a_photo_without_a_dog_forbids_dog_everywhere() -> None:
    assert not mask_target(Truth(dog=False, bodies=()), 2, 3)[DOG].any()


def test_a_dog_of_unknown_place_may_be_anywhere() -> None:
    assert mask_target(Truth(dog=True), 2, 3)[DOG].all()


def test_a_box_peaks_at_its_middle_and_tells_its_sides() -> None:
    scores, sides = box_target(((0.25, 0.0, 0.75, 1.0),), rows=4, columns=4)
    assert scores.max() == 1
    assert scores[1:3, 1:3].min() == 1  # the middle lies between four cells
    left, up, right, down = sides[:, 1, 1].tolist()
    assert (left, up, right, down) == pytest.approx((0.5, 1.5, 1.5, 2.5))
    assert np.isnan(sides[0, 0, 0].item())


def test_where_boxes_overlap_the_smaller_is_learnt() -> None:
    small = (0.4, 0.4, 0.6, 0.6)
    _, sides = box_target((small, (0.0, 0.0, 1.0, 1.0)), rows=5, columns=5)
    assert sides[:, 2, 2].tolist() == pytest.approx([0.5] * 4)


def test_no_box_means_no_peak() -> None:
    scores, sides = box_target((), 3, 3)
    assert scores.sum() == 0
    assert sides.isnan().all()


def test_what_another_finder_says_is_fitted_to_what_is_allowed() -> None:
    soft = np.stack([np.full((2, 2), 0.5), np.full((2, 2), 0.4), np.full((2, 2), 0.1)]).astype(np.float32)
    truth = Truth(dog=True, bodies=((0.0, 0.0, 0.5, 1.0),), soft=soft)
    allowed = mask_target(truth, 1, 1)
    target = soft_target(truth, allowed)
    assert target[:, 0, 0].tolist() == pytest.approx([5 / 9, 4 / 9, 0])
    assert target[:, 0, 3].tolist() == [1, 0, 0]  # outside the box nothing is dog
    assert target.sum(dim=0).numpy() == pytest.approx(1)
