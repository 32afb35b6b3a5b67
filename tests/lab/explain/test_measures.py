from __future__ import annotations

import numpy as np
import pytest

from dogmood.classifier import Evidence
from dogmood.emotions import EMOTIONS
from dogmood.lab.explain.measures import BASELINES, MAPS, attention, faith, maps_of, where
from dogmood.lab.explain.subject import Subject
from synthetic import CORNER, SIDE, corner_network, lying_network, subject_of

HONEST, LIAR = subject_of(corner_network), subject_of(lying_network)


class Unlearnt:
    """Stands in for a model: its randomised networks say noise."""

    def look_closer(self, subject: Subject) -> tuple[()]:
        return ()

    def look_without_knowledge(self, subject: Subject) -> list[Evidence]:
        random, shape = np.random.default_rng(0), subject.evidence.maps.shape
        return [Evidence(subject.evidence.squares, random.normal(size=shape).astype(np.float32)) for _ in range(20)]


class Stubborn(Unlearnt):
    """Stands in for a model whose maps do not depend on what it has learnt."""

    def look_without_knowledge(self, subject: Subject) -> list[Evidence]:
        return [subject.evidence]


def test_baselines_know_nothing_of_the_corner() -> None:
    assert list(maps_of(HONEST, ())) == list(MAPS)
    corner = np.zeros((SIDE, SIDE), np.uint8) + 2
    corner[:CORNER, :CORNER] = 1
    row = where(Unlearnt(), HONEST, corner, (0.0, 0.0, 16.0, 16.0))
    assert row["area"] == pytest.approx(1 / 16)
    assert row["energy"]["map"] > 0.85
    assert row["in head"]["map"] == 1
    assert all(row["energy"][name] < 0.3 for name in BASELINES)
    assert row["in head"]["Gaussian in the photo"] == row["in head"]["Gaussian in each view"] == 0
    assert where(Unlearnt(), LIAR, corner, (0.0, 0.0, 16.0, 16.0))["energy"]["map"] < 0.1


def test_edges_of_an_exact_mask_are_not_counted() -> None:
    mask = np.full((SIDE, SIDE), 3, np.uint8)
    mask[:CORNER, : CORNER // 2] = 1
    mask[:CORNER, CORNER // 2 : CORNER] = 2
    assert where(Unlearnt(), HONEST, mask, None)["energy"]["map"] == pytest.approx(0.5, abs=0.05)


def test_an_honest_map_foretells_changes_and_a_lying_one_does_not() -> None:
    honest, liar = faith(Unlearnt(), HONEST, rise_masks=200), faith(Unlearnt(), LIAR)  # type: ignore[arg-type]
    for name in BASELINES:
        assert honest["deletion"]["map"] < honest["deletion"][name] - 0.1
        assert honest["insertion"]["map"] > honest["insertion"][name] + 0.1
        assert honest["occlusion"]["map"] > honest["occlusion"][name] + 0.2
        assert honest["RISE"]["map"] > honest["RISE"][name] + 0.2
    assert honest["occlusion"]["map"] > 0.5
    assert liar["deletion"]["map"] > honest["deletion"]["map"] + 0.2
    assert liar["insertion"]["map"] < honest["insertion"]["map"] - 0.05
    assert liar["occlusion"]["map"] < 0
    assert "RISE" not in liar


def test_maps_that_do_not_depend_on_the_weights_fail_the_sanity_check() -> None:
    learnt = faith(Unlearnt(), HONEST)["randomised"]  # type: ignore[arg-type]
    stubborn = faith(Stubborn(), HONEST)["randomised"]  # type: ignore[arg-type]
    assert abs(learnt["in each view"]) < 0.1
    assert abs(learnt["as shown"]) < 0.15
    assert stubborn == pytest.approx({"in each view": 1, "as shown": 1})


def test_the_part_that_holds_the_corner_has_the_map_and_the_reading() -> None:
    row = attention(HONEST, "anger")
    assert row["read"] == "anger"
    assert sum(row["shares"].values()) == sum(row["even"].values()) == pytest.approx(1)
    # The head box is the upper left quarter, its ears the corner's better part.
    assert row["shares"]["ears"] + row["shares"]["rest_of_head"] + row["shares"]["eyes"] > 0.9
    assert row["even"]["body"] > 0.5
    assert row["falls"]["body"] == row["falls"]["muzzle"] == pytest.approx(0, abs=0.02)
    assert max(row["falls"], key=row["falls"].__getitem__) == "whole dog"
    assert row["falls"]["whole dog"] > row["falls"]["ears"] > 0.04
    assert row["read without"]["body"] == "anger"


def test_an_emotion_that_a_model_does_not_know_changes_nothing() -> None:
    def of_four(batch: np.ndarray) -> list[np.ndarray]:
        logits, maps = corner_network(batch)
        logits[:, EMOTIONS.index("relaxed")] = -10_000
        return [logits, maps]

    four = subject_of(of_four, EMOTIONS[:4])
    row, known = faith(Unlearnt(), four), faith(Unlearnt(), HONEST)  # type: ignore[arg-type]
    assert row["occlusion"]["map"] == pytest.approx(known["occlusion"]["map"], abs=0.02)
    assert 0.2 < row["insertion"]["map"] <= 1
    assert set(attention(four, "anger")["read without"].values()) <= set(EMOTIONS[:4])
