from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab.run import Run, load_tensors, photos_by_split
from dogmood.lab.settings import settings_of


@pytest.fixture
def run(small_data: Path, tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", settings_of({"data": str(small_data / "emotions"), "epochs": 5}))


def test_a_run_is_opened_with_the_settings_it_was_made_with(run: Run) -> None:
    again = Run.open(run.folder)
    assert again.settings == run.settings
    assert again.data_sha256 == run.data_sha256


def test_a_folder_in_use_is_not_taken(run: Run) -> None:
    (run.folder / "metrics.csv").touch()
    with pytest.raises(LabError, match="--resume"):
        Run.create(run.folder, run.settings)


def test_a_run_that_was_stopped_before_it_had_begun_leaves_its_folder_free(run: Run) -> None:
    (run.folder / ".lock").touch()
    again = Run.create(run.folder, settings_of({"epochs": 7}, run.settings))
    assert Run.open(run.folder).settings == again.settings


def test_a_start_that_fails_leaves_no_folder(small_data: Path, tmp_path: Path) -> None:
    with (small_data / "emotions" / "manifest.csv").open() as file:
        write(tmp_path / "manifest.csv", [row for row in csv.DictReader(file) if row["split"] != "train"])
    with pytest.raises(LabError, match="'train'"):
        Run.create(tmp_path / "run", settings_of({"data": str(tmp_path)}))
    assert not (tmp_path / "run").exists()


def test_a_run_of_another_version_is_refused_by_name(run: Run) -> None:
    path = run.folder / "run.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"format": 99, "dogmood": "9.9"}))
    with pytest.raises(LabError, match=r"9\.9.*dogmood train --data"):
        Run.open(run.folder)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"format": 1}'])
def test_a_damaged_run_file_is_one_sentence(run: Run, content: str) -> None:
    (run.folder / "run.json").write_text(content)
    with pytest.raises(LabError, match=r"run\.json is absent or damaged"):
        Run.open(run.folder)


def test_no_folder_no_run(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no folder of a run"):
        Run.open(tmp_path / "absent")


def test_weights_before_the_first_epoch_are_asked_for_in_vain(run: Run) -> None:
    with pytest.raises(LabError, match="has not finished an epoch"):
        run.network()


def test_damaged_weights_are_refused(run: Run) -> None:
    (run.folder / "best.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(LabError, match="damaged"):
        load_tensors(run.folder / "best.safetensors")


def test_no_manifest_no_run(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="data import"):
        Run.create(tmp_path / "run", settings_of({"data": str(tmp_path)}))


def test_a_task_of_four_leaves_the_fifth_s_photos_out(small_data: Path) -> None:
    four = photos_by_split(small_data / "emotions", ("anger", "fear", "happiness", "sadness"))
    five = photos_by_split(small_data / "emotions", ("anger", "fear", "happiness", "sadness", "relaxed"))
    assert sum(map(len, four.values())) == 32
    assert sum(map(len, five.values())) == 40


def test_an_empty_split_is_named(small_data: Path, tmp_path: Path) -> None:
    with (small_data / "emotions" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] != "valid"]
    write(tmp_path / "manifest.csv", rows)
    with pytest.raises(LabError, match="'valid'"):
        photos_by_split(tmp_path, ("anger", "fear"))


def test_an_emotion_without_training_photos_is_named(small_data: Path, tmp_path: Path) -> None:
    with (small_data / "emotions" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["split"], row["label"]) != ("train", "fear")]
    write(tmp_path / "manifest.csv", rows)
    with pytest.raises(LabError, match="fear"):
        photos_by_split(tmp_path, ("anger", "fear"))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
