from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from dogmood.doubt import Doubt
from dogmood.emotions import EMOTIONS
from dogmood.lab.emotion_metrics import Predictions, calibration_error, macro_f1, measure_emotions

DOUBT = Doubt(temperature=1.0, sure=0.5, coverage=0.7, least=dict.fromkeys(EMOTIONS, 0.1))


def predictions(labels: list[int], guesses: list[int], strength: float = 20.0) -> Predictions:
    logits = np.zeros((len(labels), 5), np.float32)
    logits[np.arange(len(labels)), guesses] = strength
    return Predictions(logits, np.array(labels), list(range(len(labels))))


def test_a_perfect_model_scores_one_with_a_tight_interval() -> None:
    figures = measure_emotions(predictions([0, 1, 2, 3, 4], [0, 1, 2, 3, 4]), DOUBT)
    assert figures["accuracy"] == {"value": 1.0, "interval": (1.0, 1.0)}
    assert figures["ECE"]["value"] == pytest.approx(0, abs=1e-6)
    assert figures["Brier"]["value"] == pytest.approx(0, abs=1e-6)
    assert figures["confusion"] == np.eye(5, dtype=int).tolist()


def test_figures_of_known_mistakes() -> None:
    figures = measure_emotions(predictions([0, 0, 1, 2], [0, 1, 1, 2]), DOUBT)
    assert figures["accuracy"]["value"] == 0.75
    assert figures["recall"]["anger"]["value"] == 0.5
    assert figures["recall"]["fear"]["value"] == 1.0
    assert figures["confusion"][0] == [1, 1, 0, 0, 0]
    assert figures["Brier"]["value"] == pytest.approx(0.5, abs=1e-6)  # one of four wrong by (1, -1)


def test_a_task_of_fewer_emotions_leaves_the_other_photos_out() -> None:
    figures = measure_emotions(predictions([0, 4, 4], [0, 0, 4]), DOUBT, EMOTIONS[:4])
    assert figures["n"] == 1
    assert figures["accuracy"]["value"] == 1.0


def test_unsure_readings_are_counted_apart() -> None:
    given = predictions([0, 1], [0, 0])
    given.logits[1] = 0.0  # no idea: 0.2 each
    figures = measure_emotions(given, DOUBT)
    assert figures["sure"] == {"coverage": 0.5, "accuracy": 1.0}
    assert figures["sets"]["mean size"] == 3.0  # one emotion, then all five


def test_calibration_error_is_the_mean_gap() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9])
    assert calibration_error(confidence, np.array([True, True, False, False])) == pytest.approx(0.4)
    assert calibration_error(np.array([1.0, 0.5]), np.array([True, False])) == pytest.approx(0.25)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_macro_f1_is_scikit_learn_s(pairs: list[tuple[int, int]]) -> None:
    labels, guesses = np.array(pairs).T
    assert macro_f1(labels, guesses) == pytest.approx(f1_score(labels, guesses, average="macro", zero_division=0))
