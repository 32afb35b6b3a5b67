from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score

from dogmood.finder import FinderSettings, Found, FoundDog
from dogmood.lab.data.pets import PetPhoto
from dogmood.lab.finder_metrics import Seen, eager, mask_iou, measure_finder


def pet(folder: Path, kind: str, head: tuple[float, float, float, float] | None = None) -> PetPhoto:
    mask = folder / "mask.png"
    Image.fromarray(np.array([[1, 1, 2, 2]] * 4, np.uint8)).save(mask)
    return PetPhoto(folder / "x.jpg", "x", kind, "test", head, None, mask if kind == "dog" else None)


def seen(photo: PetPhoto, presence: float, head: tuple[float, float, float, float] | None = None) -> Seen:
    mask = np.array([[1, 1, 0, 0]] * 4, np.float32)
    return Seen(photo, Found((FoundDog((0, 0, 4, 4), head, presence),), presence, mask))


def test_mask_iou_counts_pixels_and_leaves_the_edge_out() -> None:
    exact = np.array([[1, 1, 3, 2]] * 4, np.uint8)
    assert mask_iou(np.array([[1, 1, 1, 0]] * 4, np.float32), exact) == 1.0
    assert mask_iou(np.array([[1, 0, 0, 0]] * 4, np.float32), exact) == 0.5
    assert mask_iou(np.zeros((4, 4), np.float32), exact) == 0.0


def test_presence_head_and_mask_figures(tmp_path: Path) -> None:
    head = (0.0, 0.0, 2.0, 2.0)
    dogs = [seen(pet(tmp_path, "dog", head), p, head) for p in (0.9, 0.8)] + [seen(pet(tmp_path, "dog", head), 0.3)]
    nothing = [seen(pet(tmp_path, "none"), p) for p in (0.1, 0.2)]
    cats = [seen(pet(tmp_path, "cat"), p) for p in (0.5, 0.6)]
    figures = measure_finder(dogs + nothing + cats, presence=0.55)
    assert figures["presence against no dog"]["AUROC"] == 1.0
    assert figures["presence against cats"]["AUROC"] == pytest.approx(4 / 6)
    assert figures["presence against cats"]["false alarms"] == 0.5
    assert figures["presence against cats"]["recall"] == pytest.approx(2 / 3)
    assert figures["presence against no dog"]["recall at 1 % false alarms"] == 1.0
    assert figures["mask IoU"]["mean"] == 1.0
    assert figures["head-box IoU"]["mean"] == pytest.approx(2 / 3)


def test_without_masks_and_heads_their_figures_are_empty(tmp_path: Path) -> None:
    plain = replace(pet(tmp_path, "dog"), mask_path=None)
    figures = measure_finder([seen(plain, 0.9), seen(pet(tmp_path, "none"), 0.1)], presence=0.5)
    assert figures["mask IoU"] == figures["head-box IoU"] == {"n": 0, "mean": None, "interval": None}
    assert figures["presence against no dog"]["AUROC"] == 1.0


SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def dog(tmp_path_factory: pytest.TempPathFactory) -> PetPhoto:
    return pet(tmp_path_factory.mktemp("dog"), "dog", (0.0, 0.0, 2.0, 2.0))


@given(dogs=SCORES, others=SCORES)
@settings(max_examples=25)
def test_the_auroc_is_scikit_learn_s(dog: PetPhoto, dogs: list[float], others: list[float]) -> None:
    looked = [seen(dog, p) for p in dogs] + [seen(replace(dog, kind="none"), p) for p in others]
    measured = measure_finder(looked, presence=0.5)["presence against no dog"]
    is_dog = [True] * len(dogs) + [False] * len(others)
    assert measured["AUROC"] == pytest.approx(roc_auc_score(is_dog, dogs + others))


def test_the_auroc_s_interval_holds_it_and_draws_without_either_kind_are_left_out(dog: PetPhoto) -> None:
    looked = [seen(dog, p) for p in (0.4, 0.9)] + [seen(replace(dog, kind="none"), p) for p in (0.1, 0.6)]
    measured = measure_finder(looked, presence=0.5)["presence against no dog"]
    low, high = measured["AUROC interval"]
    assert 0 <= low < measured["AUROC"] < high <= 1


def test_eager_settings_name_a_dog_in_every_photo() -> None:
    settings = eager(FinderSettings(side=384, presence=0.5, box=0.4, head=0.1))
    assert settings.presence == 0
    assert settings.side == 384
