from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dogmood import DogMood, ModelError
from dogmood.bundle import open_bundle
from dogmood.emotions import EMOTIONS
from dogmood.lab import LabError
from dogmood.lab.make_classifiers import frame_of
from dogmood.lab.measure import measure_model
from dogmood.lab.nets.classifier import ClassifierNet
from dogmood.lab.train_classifier import ClassifierTraining, CutPhotos, train_classifier
from dogmood.lab.train_finder import FinderTraining
from dogmood.lab.weights import Plan, Taught, make_models

SHORT = ClassifierTraining(trained=2, epochs=1, photos=16, batch=8)
TAUGHT = replace(SHORT, teacher=0.5)
PLAN = Plan(
    FinderTraining(epochs=1),
    base=Taught([SHORT, replace(SHORT, side=160)], [replace(TAUGHT, side=160), replace(TAUGHT, seed=1, originals=0.1)]),
    fast=Taught([SHORT], [TAUGHT]),
)


def make(data: Path, folder: Path, work: Path, finder_from: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    make_models(data, folder, work, PLAN, "a command", finder_from)


def train_where_cuts_fit(net: ClassifierNet, data: CutPhotos, valid: CutPhotos, *how: Any) -> ClassifierNet:
    side = how[0].side
    assert {view.shape[-1] for view in (*data.views, *valid.views)} == {frame_of(side)}, side
    return train_classifier(net, data, valid, *how)


@pytest.fixture(scope="module")
def made(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        # Each network is shown cuts for its own resolution.
        patch.setattr("dogmood.lab.make_classifiers.train_classifier", train_where_cuts_fit)
        make(small_data, folder, folder / "work")
    return folder


@pytest.mark.parametrize("name", ["base", "fast"])
def test_the_files_read_photos_grey_ones_too(made: Path, small_data: Path, name: str) -> None:
    dogmood = DogMood(made / f"{name}.dogmood")
    reading = dogmood.read(small_data / "emotions/photos/e000.png")
    assert reading.model.name == name
    assert reading.status in {"read", "no_dog"}
    assert dogmood.read(np.asarray(Image.linear_gradient("L"))).status in {"read", "no_dog"}


def test_the_cards_say_how_they_were_made(made: Path) -> None:
    for name in ("base", "fast"):
        card = open_bundle(made / f"{name}.dogmood").card
        assert card["labels"] == list(EMOTIONS)
        assert card["made"]["command"] == "a command"
        assert card["made"]["finder"]["epochs"] == 1
        teachers = [224, 160] if name == "base" else [224]
        assert [training["side"] for training in card["made"]["teachers"]] == teachers
        known = {"emotions/manifest.csv"} | ({"original/manifest.csv"} if name == "base" else set())
        assert card["made"]["data"].keys() == known
        assert {len(digest) for digest in card["made"]["data"].values()} == {64}
        assert card["figures"]["emotions, test"]["five"]["n"] == 10
        bias = card["made"]["bias, fitted on valid"]
        assert list(bias) == list(EMOTIONS)
        assert sum(bias.values()) == pytest.approx(0, abs=1e-3)
        assert any(bias.values())
        sides = [160, 224] if name == "base" else [224]
        assert [training["side"] for training in card["made"]["taught"]] == sides
        assert card["classifier"]["side"] == sides[0]


def test_absent_originals_are_told_before_anything_is_made(small_data: Path, tmp_path: Path) -> None:
    for name in ("emotions", "finder"):
        (tmp_path / name).symlink_to(small_data / name)
    with pytest.raises(LabError, match="original holds no manifest"):
        make(tmp_path, tmp_path / "out", tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_second_run_goes_on_from_the_kept_steps_to_the_same_files(made: Path, small_data: Path) -> None:
    files = sorted(made.glob("*.dogmood"))
    first = [path.read_bytes() for path in files]
    kept = {path: path.stat().st_mtime_ns for path in (made / "work").rglob("*.safetensors")}
    make(small_data, made, made / "work")
    assert [path.read_bytes() for path in files] == first
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(kept) == 7  # the finder twice, two teachers, and those that they taught


@pytest.mark.parametrize("name", ["base", "fast"])
def test_measuring_a_file_gives_the_card_s_figures(made: Path, small_data: Path, name: str) -> None:
    figures = measure_model(str(made / f"{name}.dogmood"), small_data, "test", ten_crop=False)
    card = open_bundle(made / f"{name}.dogmood").card["figures"]
    assert figures["emotions"]["five"]["accuracy"]["value"] == card["emotions, test"]["five"]["accuracy"]["value"]


def test_the_finder_can_be_another_model_s(made: Path, small_data: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(made / "work", work, ignore=shutil.ignore_patterns("finder-*"))
    make(small_data, tmp_path / "again", work, finder_from=str(made / "base.dogmood"))
    first, again = (open_bundle(folder / "base.dogmood") for folder in (made, tmp_path / "again"))
    assert again.finder == first.finder
    assert again.card["finder"] == first.card["finder"]
    assert again.card["made"]["finder"] == first.card["made"]["finder"]
    assert not list(work.glob("finder-*"))


def test_a_finder_of_no_model_is_refused(small_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        make(small_data, tmp_path, tmp_path / "work", finder_from="absent")
