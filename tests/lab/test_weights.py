from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood import DogMood
from dogmood.bundle import open_bundle
from dogmood.emotions import EMOTIONS
from dogmood.lab.measure import measure_model
from dogmood.lab.train_classifier import ClassifierTraining
from dogmood.lab.train_finder import FinderTraining
from dogmood.lab.weights import Plan, make_model


@pytest.fixture(scope="module")
def made(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    plan = Plan(FinderTraining(epochs=1), ClassifierTraining(epochs=1, batch=8))
    make_model(small_data, folder / "tiny.dogmood", folder / "work", plan, "a command")
    return folder


def test_the_file_reads_photos(made: Path, small_data: Path) -> None:
    reading = DogMood(made / "tiny.dogmood").read(small_data / "emotions/photos/e000.png")
    assert reading.model.name == "tiny"
    assert reading.status in {"read", "no_dog"}


def test_the_card_says_how_it_was_made(made: Path) -> None:
    card = open_bundle(made / "tiny.dogmood").card
    assert card["labels"] == list(EMOTIONS)
    assert card["made"]["command"] == "a command"
    assert card["made"]["finder"]["epochs"] == 1
    assert len(card["made"]["data"]["emotions/manifest.csv"]) == 64
    assert card["figures"]["emotions, test"]["five"]["n"] == 10


def test_a_second_run_goes_on_from_the_kept_steps_to_the_same_file(made: Path, small_data: Path) -> None:
    first = (made / "tiny.dogmood").read_bytes()
    kept = {path: path.stat().st_mtime_ns for path in (made / "work").rglob("*") if path.is_file()}
    plan = Plan(FinderTraining(epochs=1), ClassifierTraining(epochs=1, batch=8))
    make_model(small_data, made / "tiny.dogmood", made / "work", plan, "a command")
    assert (made / "tiny.dogmood").read_bytes() == first
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_measuring_the_file_gives_the_card_s_figures(made: Path, small_data: Path) -> None:
    figures = measure_model(str(made / "tiny.dogmood"), small_data, "test", ten_crop=False)
    card = open_bundle(made / "tiny.dogmood").card["figures"]
    assert figures["emotions"]["five"]["accuracy"]["value"] == card["emotions, test"]["five"]["accuracy"]["value"]
    assert figures["finder"]["mask IoU"]["mean"] == pytest.approx(card["finder, test"]["mask IoU"]["mean"])


def test_a_model_reads_grey_as_well_as_colour(made: Path) -> None:
    grey = np.asarray(Image.linear_gradient("L"))
    assert DogMood(made / "tiny.dogmood").read(grey).status in {"read", "no_dog"}
