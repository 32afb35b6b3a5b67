from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from scipy.special import logit

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.finder import Finder, FinderSettings
from dogmood.lab import LabError
from dogmood.lab.data.pets import read_pets
from dogmood.lab.finder_metrics import eager
from dogmood.lab.finder_photos import labelled_for_finder
from dogmood.lab.presence import BIAS, SURE, WEIGHT, weigh_presence
from dogmood.photo import open_photo


@pytest.fixture(scope="module")
def settings() -> FinderSettings:
    return replace(read_settings(open_bundle("fast").card).finder, side=224)


@pytest.fixture(scope="module")
def weighed(settings: FinderSettings, small_data: Path) -> bytes:
    return weigh_presence(open_bundle("fast").finder, settings, small_data)


def presence(graph: bytes, settings: FinderSettings, data: Path, kind: str) -> list[float]:
    """The log odds of dog for the validation pictures of a kind."""
    finder = Finder(Network(graph), eager(settings))
    pets = [pet for pet in read_pets(data / "finder") if pet.split == "valid" and pet.kind == kind]
    found = [finder.find(open_photo(pet.path).pixels).presence for pet in pets]
    return logit(np.clip(found, SURE, 1 - SURE)).tolist()


def test_pictures_are_likelier_than_before(weighed: bytes, settings: FinderSettings, small_data: Path) -> None:
    losses = []
    for graph in (open_bundle("fast").finder, weighed):
        dogs, cats = (presence(graph, settings, small_data, kind) for kind in ("dog", "cat"))
        losses.append(np.log1p(np.exp(np.negative(dogs))).mean() + np.log1p(np.exp(cats)).mean())
    before, after = losses
    assert after < before / 2


def test_nothing_else_changes(weighed: bytes) -> None:
    before, after = (onnx.load_from_string(graph).graph for graph in (open_bundle("fast").finder, weighed))
    assert before.node == after.node
    changed = {old.name for old, new in zip(before.initializer, after.initializer, strict=True) if old != new}
    assert changed == {WEIGHT, BIAS}


def test_the_weights_before_do_not_matter(weighed: bytes, settings: FinderSettings, small_data: Path) -> None:
    assert weigh_presence(weighed, settings, small_data) == weighed


def test_what_weighs_no_signs_is_refused(settings: FinderSettings, small_data: Path) -> None:
    with pytest.raises(LabError, match="two signs"):
        weigh_presence(open_bundle("fast").classifier, settings, small_data)


def test_dogs_alone_are_refused(settings: FinderSettings, small_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    index = data / "finder/index.csv"
    title, *rows = index.read_text().splitlines()
    index.write_text("\n".join([title, *(row for row in rows if ",dog," in row)]))
    with pytest.raises(LabError, match="others without one"):
        weigh_presence(open_bundle("fast").finder, settings, data)


def test_nothing_is_weighed_that_the_finder_has_learnt_from(
    weighed: bytes, settings: FinderSettings, small_data: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    learnt = [pet.path for pet in read_pets(data / "finder") if pet.split == "train"]
    learnt += [photo.path for photo in labelled_for_finder(data, seed=0)]
    for path in learnt:
        Image.new("RGB", (64, 64)).save(path)
    assert weigh_presence(open_bundle("fast").finder, settings, data) == weighed
