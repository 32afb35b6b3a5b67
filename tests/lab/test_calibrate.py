from __future__ import annotations

import numpy as np
import pytest

from dogmood.doubt import softmax, tempered
from dogmood.emotions import EMOTIONS
from dogmood.lab.calibrate import fit_bias, fit_doubt, fit_temperature


def sampled(n: int, sharpness: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are ``sharpness`` times too sure of labels drawn from their softmax."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, 5))
    labels = np.array([random.choice(5, p=p) for p in softmax(logits)])
    return logits * sharpness, labels


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_undoes_overconfidence(sharpness: float) -> None:
    temperature, slope = fit_temperature(*sampled(20_000, sharpness))
    assert slope == 0
    assert temperature == pytest.approx(sharpness, rel=0.05)


@pytest.mark.parametrize("slope", [-0.5, 0.4])
def test_a_slope_is_found_where_there_is_one(slope: float) -> None:
    random = np.random.default_rng(0)
    logits = 2 * random.normal(size=(20_000, 5))
    labels = np.array([random.choice(5, p=p) for p in softmax(tempered(logits, 1.5, slope))])
    assert fit_temperature(logits, labels) == pytest.approx((1.5, slope), rel=0.1)


def test_a_slope_that_luck_would_give_is_left_out() -> None:
    found = [fit_temperature(*sampled(150, 1.0, seed))[1] for seed in range(20)]
    assert np.mean(np.array(found) == 0) > 0.6


BIAS = np.array([0.3, 0.6, -0.8, 0.1, -0.2])


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_bias_is_found_whatever_the_temperature(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = 2 * random.normal(size=(20_000, 5))
    labels = np.array([random.choice(5, p=p) for p in softmax(logits + BIAS)])
    assert fit_bias(logits * temperature, labels) / temperature == pytest.approx(BIAS, abs=0.06)


def test_a_bias_makes_other_photos_likelier() -> None:
    random = np.random.default_rng(0)
    logits = 2 * random.normal(size=(2200, 5))
    labels = np.array([random.choice(5, p=p) for p in softmax(logits + BIAS)])
    found = fit_bias(logits[:200], labels[:200])
    rows = np.arange(2000)
    before, after = (softmax(logits[200:] + bias)[rows, labels[200:]] for bias in (0, found))
    assert np.log(after).mean() > np.log(before).mean() + 0.03


def test_few_photos_speak_for_a_small_bias_only() -> None:
    logits = np.random.default_rng(0).normal(size=(12, 5))
    labels = np.zeros(12, np.intp)  # as if all dogs of the world were angry
    bias = fit_bias(logits, labels)
    assert 0 < bias[0] / fit_temperature(logits, labels)[0] < 2
    assert bias.mean() == pytest.approx(0)


def test_threshold_keeps_the_stated_coverage() -> None:
    doubt = fit_doubt(*sampled(1000, 1.0))
    assert doubt.coverage == pytest.approx(0.7, abs=0.002)


def test_sets_hold_the_truth_in_nine_of_ten_of_each_emotion() -> None:
    logits, labels = sampled(4000, 2.0)
    doubt = fit_doubt(logits[:2000], labels[:2000])
    probabilities = softmax(tempered(logits[2000:], doubt.temperature, doubt.slope))
    for i, emotion in enumerate(EMOTIONS):
        truth = probabilities[labels[2000:] == i, i]
        assert (truth >= doubt.least[emotion]).mean() == pytest.approx(0.9, abs=0.04)


def test_the_conformal_rank_is_exact() -> None:
    # 19 photos an emotion: rank ceil(20 * 0.9) = 18 counted from the top.
    margins = np.linspace(0, 3, 19)
    labels = np.repeat(np.arange(5), 19)
    logits = np.zeros((95, 5))
    logits[np.arange(95), labels] = np.tile(margins, 5)
    doubt = fit_doubt(logits, labels)
    second_lowest = softmax(tempered(logits, doubt.temperature, doubt.slope))[1].max()
    assert doubt.least["anger"] == pytest.approx(second_lowest)


@pytest.mark.parametrize("photos", [1, 5, 8])
def test_too_few_photos_for_a_promise_leave_the_emotion_possible(photos: int) -> None:
    # Of eight further photos one may lie anywhere: no rank among them is reached in nine of ten.
    labels = np.array([0] * photos + [1] * 40)
    logits = np.eye(5)[labels] * 2.0
    doubt = fit_doubt(logits, labels)
    assert doubt.least["anger"] == 0.0
    assert doubt.least["fear"] > 0.0


def test_an_emotion_without_validation_photos_stays_possible() -> None:
    logits = np.array([[2.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0]] * 20)
    doubt = fit_doubt(logits, np.array([0, 1] * 20))
    assert doubt.least["sadness"] == 0.0
    assert doubt.least["anger"] > 0.0
