from __future__ import annotations

import json
from pathlib import Path

import pytest

from dogmood.cli import main
from dogmood.emotions import EMOTIONS
from dogmood.lab import LabError
from dogmood.lab.data.manifest import read_manifest
from dogmood.lab.explain.attention import attention_figures
from dogmood.lab.explain.figures import mean_over_kinds
from dogmood.lab.explain.measures import HIDDEN, MAPS
from dogmood.lab.explain.proof import Plan, explain_test, faith_figures, sample, where_figures
from dogmood.lab.explain.tables import tables
from dogmood.regions import REGIONS


def row_of(label: str, muzzle: float, read: str, head: bool = True) -> dict[str, object]:
    shares = dict.fromkeys(REGIONS, 0.0) | {"muzzle": muzzle, "backdrop": 1 - muzzle}
    return {
        "label": label,
        "head found": head,
        "shares": shares,
        "even": dict.fromkeys(REGIONS, 1 / 6),
        "read": read,
        "falls": dict.fromkeys(HIDDEN, 0.25),
        "read without": dict.fromkeys(HIDDEN, "relaxed"),
    }


def test_parts_are_told_by_label_and_photos_without_a_head_are_left_out() -> None:
    rows = [
        row_of("happiness", 0.5, "happiness"),
        row_of("happiness", 0.7, "relaxed"),
        row_of("happiness", 0.0, "happiness", head=False),
        row_of("relaxed", 0.2, "relaxed"),
    ]
    figures = attention_figures(rows, ["a", "b", "c", "d"])
    assert list(figures) == ["happiness", "relaxed", "all"]
    happy = figures["happiness"]
    assert (happy["n"], happy["shares"]["muzzle"]["n"]) == (3, 2)
    assert happy["shares"]["muzzle"]["value"] == pytest.approx(0.6)
    assert happy["accuracy"]["value"] == pytest.approx(2 / 3)
    assert happy["accuracy without"]["whole dog"]["value"] == 0
    assert figures["all"]["falls"]["eyes"] == {"value": 0.25, "interval": [0.25, 0.25], "n": 4}


def test_where_and_faith_are_means_with_intervals() -> None:
    maps = dict(zip(MAPS, (0.9, 0.8, 0.5, 0.4, 0.6), strict=True))
    where = where_figures([{"area": 0.3, "energy": maps}, {"in head": dict.fromkeys(MAPS, 1.0)}], ["a", "b"])
    assert where["area of the dog"]["n"] == where["energy on the dog"]["map"]["n"] == 1
    assert where["strongest in the head box"]["map"] == {"value": 1.0, "interval": [1.0, 1.0], "n": 1}
    row = {"deletion": maps, "insertion": maps, "occlusion": maps, "randomised": {"in each view": 0.0, "as shown": 0.1}}
    faith = faith_figures([row, row], ["a", "b"])
    assert faith["deletion"]["random"]["map is better by"]["value"] == pytest.approx(-0.4)
    assert faith["insertion"]["random"]["map is better by"]["value"] == pytest.approx(0.4)
    assert "RISE" not in faith


def test_a_breed_with_many_photos_counts_no_more_than_another() -> None:
    figure = mean_over_kinds([1.0, 1.0, 1.0, 0.0], ["pug", "pug", "pug", "boxer"])
    assert (figure["value"], figure["n"]) == (0.5, 2)
    assert figure["interval"] == [0.5, 1.0]  # a draw without a pug is rare


def test_a_larger_sample_holds_the_smaller_one(small_data: Path) -> None:
    photos = read_manifest(small_data / "emotions")
    assert sample(photos, 9, 0)[:4] == sample(photos, 4, 0) != sample(photos, 4, 1)
    assert len(sample(photos, 10**6, 0)) == len(photos)


def test_the_command_measures_prints_and_goes_on(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["explain-test", "--data", str(small_data), "--photos", "1", "--split", "valid", "--model", "fast"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--json"])
    assert left.value.code == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["data"]["photos changed"] == 1
    assert figures["where"]["energy on the dog"]["map"]["n"] > 0
    assert set(figures["attention"]) == {*EMOTIONS, "all"}
    for of in (figures["faith"]["deletion"], figures["faith"]["insertion"]):
        assert all(0 <= of[name]["value"] <= 1 for name in MAPS)
    assert json.loads(Path("explain-test/explain-test.json").read_text()) == figures
    assert Path("explain-test/regions.svg").read_text().startswith("<svg")
    chart = Path("explain-test/regions.svg").read_text()
    for name in ("muzzle", "rest of head", "backdrop", "every cell alike", *EMOTIONS):
        assert f">{name}<" in chart

    (journal,) = Path(".cache/explain-test").iterdir()
    before = journal.read_text()
    with pytest.raises(SystemExit):
        main([*words, "--markdown"])
    shown = capsys.readouterr().out
    assert journal.read_text() == before  # all was done already
    assert "| energy on the dog |" in shown
    assert shown.count("**") == 2 * len(tables(figures))
    assert '"the backdrop does not matter": it holds' in shown
    assert Path("explain-test/explain-test.md").read_text().strip() == shown.strip()


def test_wrong_use_is_one_sentence(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for words, sentence in (
        (["--data", "nowhere"], "manifest.csv"),
        (["--data", str(small_data), "--split", "train"], "no split 'train'"),
        (["--data", str(small_data), "--model", "grand"], "There is no model 'grand'"),
        (["--data", str(small_data), "--work", "file"], "--work"),
    ):
        with pytest.raises(SystemExit) as left:
            main(["explain-test", *words])
        message = capsys.readouterr().err
        assert left.value.code == 2
        assert sentence in message
        assert len(message.strip().splitlines()) == 1


def test_a_split_without_annotated_dogs_is_named(small_data: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no annotated dogs"):
        explain_test("base", Plan(small_data, split="nowhere"), tmp_path)
