from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest

from dogmood import DogMood
from dogmood.lab import LabError
from dogmood.lab.elsewhere import Picture, figures, main, originals


def write_originals(folder: Path, bull_mastiff: Path, cottage: Path) -> None:
    (folder / "photos").mkdir(parents=True)
    rows = [
        ("a.jpg", "valid", "relaxed", "g0", "1", bull_mastiff),
        ("b.jpg", "valid", "relaxed", "g1", "0", cottage),
        ("c.jpg", "train", "anger", "g2", "0", bull_mastiff),
    ]
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["photo", "split", "label", "group", "leaked"])
        for name, *rest, photo in rows:
            table.writerow([name, *rest])
            shutil.copy(photo, folder / "photos" / name)


def test_only_validation_pictures_count_and_the_clean_ones_apart(
    tmp_path: Path, bull_mastiff: Path, cottage: Path
) -> None:
    write_originals(tmp_path, bull_mastiff, cottage)
    found = originals(tmp_path)
    assert [picture.group for picture in found["all"]] == ["g0", "g1"]
    assert [picture.group for picture in found["not in its training"]] == ["g1"]


def test_no_dog_is_an_answer_and_a_wrong_one(bull_mastiff: Path, cottage: Path) -> None:
    reader = DogMood()
    truth = max(reader.read(bull_mastiff).dogs, key=lambda dog: dog.presence).emotion
    measured = figures(reader, [Picture(bull_mastiff, truth, "g0"), Picture(cottage, truth, "g1")])
    assert (measured["n"], measured["groups"], measured["no dog"]) == (2, 2, 1)
    assert measured["accuracy"]["value"] == measured["recall"][truth]["value"] == 0.5
    assert measured["accuracy"]["interval"] == [0.0, 1.0]
    assert measured["recall"][truth]["n"] == 2


def test_a_picture_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(LabError, match=r"text\.jpg"):
        figures(DogMood(), [Picture(tmp_path / "text.jpg", "anger", "g0")])


def test_a_folder_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("photo,label\na.jpg,anger\n")
    with pytest.raises(LabError, match=r"no manifest\.csv of the original experiment"):
        originals(tmp_path)


def test_the_command_measures_both(
    tmp_path: Path,
    bull_mastiff: Path,
    cottage: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "emotions" / "photos").mkdir(parents=True)
    shutil.copy(bull_mastiff, tmp_path / "emotions" / "photos" / "d.jpg")
    (tmp_path / "emotions" / "manifest.csv").write_text("photo,split,label,group\nd.jpg,test,relaxed,g0\n")
    write_originals(tmp_path / "original", bull_mastiff, cottage)
    monkeypatch.setattr(sys, "argv", ["elsewhere", "--data", str(tmp_path)])
    main()
    measured = json.loads(capsys.readouterr().out)
    assert measured["faces"]["n"] == 1
    assert measured["original"]["all"]["n"] == 2
    assert measured["original"]["not in its training"]["n"] == 1
    assert set(measured["original"]["all"]["recall"]) == {"relaxed"}
