from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dogmood.lab import trials
from dogmood.lab.trials import STANDARD, WAYS, Way, fit_head, main


def blobs(n: int = 100) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Each emotion has a place of its own in four dimensions."""
    labels = np.arange(n) % 5
    places = np.random.default_rng(0).normal(0, 5, (5, 4))
    features = places[labels] + np.random.default_rng(1).normal(0, 0.3, (n, 4))
    return features.astype(np.float32), np.eye(5, dtype=np.float32)[labels], np.ones(n)


@pytest.mark.parametrize("way", [STANDARD, Way(smoothing=0.1), Way(robust=0.7)])
def test_a_head_learns_what_can_be_told_apart(way: Way) -> None:
    features, targets, weights = blobs()
    head = fit_head(features, targets, weights, 1e-4, way)
    assert (head.logits(features).argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.95


def test_a_photo_of_no_weight_teaches_nothing() -> None:
    features, targets, weights = blobs()
    wrong = np.roll(targets, 1, axis=1)
    both = np.concatenate([features, features]), np.concatenate([targets, wrong])
    head = fit_head(*both, np.concatenate([weights, 0 * weights]), 1e-4, STANDARD)
    assert (head.logits(features).argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.95


def test_a_penalty_keeps_weights_small() -> None:
    sizes = [np.abs(fit_head(*blobs(), penalty, STANDARD).weight).mean() for penalty in (1e-4, 1e-1)]
    assert sizes[1] < sizes[0] / 2


def test_each_way_differs_from_the_standard_in_one_thing() -> None:
    for name, way in WAYS.items():
        differing = [key for key, value in vars(way).items() if value != vars(STANDARD)[key]]
        assert len(differing) == (name != "body and head")


def test_ways_and_the_learning_curve_are_measured_and_features_computed_once(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = ("body and head", "mixup", "web photos by self-training", "mirror image averaged at test")
    monkeypatch.setattr(trials, "WAYS", {name: WAYS[name] for name in some})
    monkeypatch.setattr(trials, "SHARES", (0.5, 1.0))
    monkeypatch.setattr(trials, "SEEDS", 2)
    monkeypatch.setattr(sys, "argv", ["trials", "--data", str(small_data), "--cache", str(tmp_path)])
    main()
    printed = capsys.readouterr().out
    first, *rows = map(json.loads, printed.splitlines())
    assert len(first["manifest"]) == 64
    assert [row["way"] for row in rows[: len(some)]] == list(some)
    assert [row["photos"] for row in rows[len(some) :]] == [10, 10, 20]
    for row in rows:
        assert row["test"]["accuracy"]["n"] == row["valid"]["accuracy"]["n"] == 10
    assert rows[0]["test"]["gain"]["value"] == 0
    # All photos, fitted the standard way, are the standard again.
    assert rows[-1]["test"]["accuracy"] == rows[0]["test"]["accuracy"]
    monkeypatch.setattr("dogmood.lab.features.to_batch", lambda _: pytest.fail("computed again"))
    main()
    assert capsys.readouterr().out == printed
