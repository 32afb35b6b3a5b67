from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from dogmood.emotions import EMOTIONS
from dogmood.lab.emotion_metrics import Predictions
from dogmood.lab.evaluation import accuracy, evaluate, reliability, risk_coverage

FOUR = ("anger", "fear", "happiness", "sadness")


def answers(labels: list[int], said: list[int], classes: int, strength: float = 2.0) -> Predictions:
    logits = strength * np.eye(classes, dtype=np.float32)[said]
    return Predictions(logits, np.array(labels, np.intp), [f"g{i}" for i in range(len(labels))])


def some(n: int, classes: int, right: float, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    said = np.where(random.random(n) < right, labels, (labels + 1) % classes)
    return answers(labels.tolist(), said.tolist(), classes)


def test_known_answers_give_known_figures() -> None:
    labels = [0, 0, 0, 0, 1, 1, 2, 3]
    said = [0, 0, 0, 1, 1, 2, 2, 3]
    figures = evaluate(some(80, 4, 0.8), answers(labels, said, 4), FOUR)
    assert figures["n"] == 8
    assert figures["accuracy"]["value"] == pytest.approx(6 / 8)
    anger, fear, happiness, sadness = (figures["by emotion"][emotion] for emotion in FOUR)
    assert (anger["precision"]["value"], anger["recall"]["value"]) == (1.0, 0.75)
    assert (fear["precision"]["value"], fear["recall"]["value"]) == (0.5, 0.5)
    assert happiness["F1"]["value"] == pytest.approx(2 / 3)
    assert sadness["n"] == 1
    assert figures["confusion"] == [[3, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_accuracy_counts_hits_and_resamples_groups() -> None:
    given = answers([0, 0, 1, 2], [0, 1, 1, 2], 4)
    figure = accuracy(given)
    assert (figure["value"], figure["n"]) == (0.75, 4)
    # All photos of one group: drawn together, they are always right in three of four.
    of_one = Predictions(given.logits, given.labels, ["g"] * 4)
    assert accuracy(of_one)["interval"] == [0.75, 0.75]


def test_intervals_hold_their_values_and_all_is_json() -> None:
    figures = json.loads(json.dumps(evaluate(some(100, 5, 0.7), some(100, 5, 0.7, seed=1), EMOTIONS)))
    for name in ("accuracy", "macro F1", "Brier"):
        low, high = figures[name]["interval"]
        assert low <= figures[name]["value"] <= high
    assert figures["emotions"] == list(EMOTIONS)


def test_temperature_is_fitted_on_validation_alone() -> None:
    # Said with 97 % confidence and right in 70 %: the temperature must rise.
    valid, test = some(300, 4, 0.7), some(300, 4, 0.7, seed=1)
    sharp = Predictions(valid.logits * 2.5, valid.labels, valid.groups)
    figures = evaluate(sharp, Predictions(test.logits * 2.5, test.labels, test.groups), FOUR)
    assert figures["temperature"] > 1.5
    assert figures["ECE"]["value"] < figures["ECE before"]["value"]
    assert figures["log loss"]["after"] < figures["log loss"]["before"]
    other_test = Predictions(test.logits * -1, test.labels, test.groups)
    assert evaluate(sharp, other_test, FOUR)["temperature"] == figures["temperature"]


def test_reliability_bins_hold_every_photo() -> None:
    probabilities = np.array([[0.9, 0.1], [0.95, 0.05], [0.4, 0.6]])
    bins = reliability(probabilities, np.array([True, False, True]))
    assert sum(b["n"] for b in bins) == 3
    assert bins[-1] == {"confidence": pytest.approx(0.95), "accuracy": 0.0, "n": 1}


def curve(confidence: list[float], hit: list[bool]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    drawn = risk_coverage(np.array(confidence), np.array(hit))
    return np.array(drawn["coverage"]), np.array(drawn["accuracy"]), drawn["area"]


def test_the_most_confident_come_first() -> None:
    coverage, accuracy, area = curve([0.9, 0.8, 0.7, 0.6], [True, True, False, True])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy.tolist() == pytest.approx([1.0, 1.0, 2 / 3, 0.75])
    assert area == pytest.approx((0 + 0 + 1 / 3 + 0.25) / 4)


def test_equal_confidences_enter_together_whatever_their_order() -> None:
    one = curve([0.9, 0.5, 0.5], [True, True, False])
    other = curve([0.5, 0.9, 0.5], [False, True, True])
    assert one[0].tolist() == other[0].tolist() == pytest.approx([1 / 3, 1.0])
    assert one[1].tolist() == other[1].tolist()


def test_draws_without_a_rare_emotion_do_not_count_against_it() -> None:
    labels = [0, 1, 2] * 20 + [3, 3]
    figures = evaluate(some(80, 4, 0.8), answers(labels, labels, 4), FOUR)
    rare = figures["by emotion"]["sadness"]
    assert rare["n"] == 2
    for name in ("precision", "recall", "F1"):
        assert rare[name] == {"value": 1.0, "interval": (1.0, 1.0)}


def test_an_emotion_that_is_there_and_never_said_counts_as_missed() -> None:
    figures = evaluate(some(80, 4, 0.8), answers([0, 1, 2, 3] * 10, [0, 1, 2, 0] * 10, 4), FOUR)
    missed = figures["by emotion"]["sadness"]
    for name in ("precision", "recall", "F1"):
        assert missed[name] == {"value": 0.0, "interval": (0.0, 0.0)}


@pytest.mark.filterwarnings("error")
def test_of_an_emotion_without_photos_nothing_is_known() -> None:
    figures = evaluate(some(80, 4, 0.8), answers([0, 1, 2] * 10, [0, 1, 2] * 10, 4), FOUR)
    absent = json.loads(json.dumps(figures["by emotion"], allow_nan=False))["sadness"]
    assert absent["n"] == 0
    assert absent["recall"] == absent["F1"] == absent["precision"] == {"value": None, "interval": None}
