from __future__ import annotations

import json
import re
import shutil
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dogmood.lab import LabError
from dogmood.lab import measure_run as measuring
from dogmood.lab.examples import Mistake, Sample, samples_of
from dogmood.lab.fit import train
from dogmood.lab.measure_run import measure_run
from dogmood.lab.report import Page, Plot, Table, sweep_page, write_report
from dogmood.lab.run import Run, load_tensors, save_tensors
from dogmood.lab.settings import settings_of
from dogmood.lab.sweep_table import Row, as_markdown
from parsed_html import Parsed

HOSTILE = '<script>alert(1)</script>&".jpg'


@pytest.fixture(scope="module")
def run(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("report")
    small = {"network": "shallow_cnn", "cut": "photo", "epochs": 2, "batch": 8, "crops": 1}
    run = Run.create(folder / "run", settings_of({"data": str(small_data / "emotions"), **small}))
    train(run, folder / "cache")
    return run


def cache_of(run: Run) -> Path:
    return run.folder.parent / "cache"


def test_an_untested_run_is_asked_to_be_tested(run: Run, tmp_path: Path) -> None:
    untested = Run.create(tmp_path / "run", run.settings)
    with pytest.raises(LabError, match="dogmood test"):
        write_report(untested.folder, cache_of(run))


def test_a_tested_run_has_figures_and_plots(run: Run) -> None:
    figures = measure_run(run, cache_of(run))
    assert json.loads((run.folder / "test.json").read_text())["accuracy"]["value"] == figures["accuracy"]["value"]
    assert figures["n"] == len(figures["photos"]) == 10
    photos = run.photos()
    assert set(figures["other splits"]) == {"train", "valid"}
    for split, accuracy in figures["other splits"].items():
        assert accuracy["n"] == len(photos[split])
        assert accuracy["interval"][0] <= accuracy["value"] <= accuracy["interval"][1]
    for name in ("curves", "confusion", "reliability", "risk-coverage"):
        assert (run.folder / "plots" / f"{name}.svg").read_text().startswith("<svg")


def test_what_no_test_photo_says_is_no_number(run: Run) -> None:
    measure_run(run, cache_of(run))
    path = run.folder / "test.json"
    before = path.read_text()
    figures = json.loads(before)
    unknown = {"value": None, "interval": None}
    figures["by emotion"]["fear"] = {"n": 0, "precision": unknown, "recall": unknown, "F1": unknown}
    path.write_text(json.dumps(figures))
    page = Parsed(write_report(run.folder, cache_of(run)).read_text())
    path.write_text(before)
    assert "fear0---" in re.sub(r"\s", "", page.text)


def test_measuring_again_gives_the_same_figures(run: Run) -> None:
    assert measure_run(run, cache_of(run)) == measure_run(run, cache_of(run))


def test_the_page_of_a_run_is_complete_in_itself(run: Run) -> None:
    measure_run(run, cache_of(run))
    html = write_report(run.folder, cache_of(run)).read_text()
    page = Parsed(html)
    for heading in ("Figures", "accuracy, validation", "By emotion", "Settings", "Plots"):
        assert heading in page.text
    assert not page.named("script")
    assert not page.named("link")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    pictures = page.named("img")
    assert pictures
    assert all((picture["src"] or "").startswith("data:image/") and picture["alt"] for picture in pictures)
    assert "shallow_cnn" in page.text


@pytest.fixture
def tested(run: Run, tmp_path: Path) -> Run:
    """A copy of the run that may be damaged."""
    measure_run(run, cache_of(run))
    return Run.open(shutil.copytree(run.folder, tmp_path / "run"))


def test_a_network_that_was_trained_on_is_to_be_tested_again(tested: Run, run: Run) -> None:
    tensors, _ = load_tensors(tested.folder / "best.safetensors")
    save_tensors(tested.folder / "best.safetensors", tensors, {"epoch": 3})
    with pytest.raises(LabError, match=f"another network .*dogmood test {tested.folder}` again"):
        write_report(tested.folder, cache_of(run))
    measure_run(tested, cache_of(run))
    assert write_report(tested.folder, cache_of(run)).exists()


def test_figures_of_an_earlier_version_are_shown(tested: Run, run: Run) -> None:
    figures = json.loads((tested.folder / "test.json").read_text())
    del figures["weights"]
    (tested.folder / "test.json").write_text(json.dumps(figures))
    assert write_report(tested.folder, cache_of(run)).exists()


def test_a_network_that_changes_while_it_is_tested_is_not_measured(
    tested: Run, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tested.folder / "test.json").unlink()
    weights = tested.folder / "best.safetensors"
    tensors, _ = load_tensors(weights)
    real = measuring.predict_run

    def while_training_goes_on(*given: Any, **more: Any) -> Any:
        answers = real(*given, **more)
        save_tensors(weights, tensors, {"epoch": 3})
        return answers

    monkeypatch.setattr(measuring, "predict_run", while_training_goes_on)
    with pytest.raises(LabError, match="was trained on while it was tested"):
        measure_run(tested, cache_of(run))
    assert not (tested.folder / "test.json").exists()


@pytest.mark.parametrize(
    "damage",
    [{"accuracy": {"value": 0.5}}, {"confusion": []}, {"photos": [{}]}, {"photos": []}, {"by emotion": 3},
     {"log loss": {}}, {"temperature": "warm"}, {"reliability": None}],
    ids=str,
)  # fmt: skip
def test_a_page_of_damaged_figures_is_one_sentence(damage: dict[str, Any], tested: Run, run: Run) -> None:
    figures = json.loads((tested.folder / "test.json").read_text())
    (tested.folder / "test.json").write_text(json.dumps(figures | damage))
    with pytest.raises(LabError, match=r"test\.json is damaged"):
        write_report(tested.folder, cache_of(run))


def test_a_page_without_an_epoch_is_one_sentence(tested: Run, run: Run) -> None:
    tested.write_metrics([])
    with pytest.raises(LabError, match="holds no epoch"):
        write_report(tested.folder, cache_of(run))


def test_the_maps_are_those_that_a_reading_shows(run: Run, small_data: Path) -> None:
    figures = measure_run(run, cache_of(run))
    (sample, *_) = samples_of(run, run.photos()["test"], figures, cache_of(run))
    assert sample.saliency.shape == sample.pixels.shape[:2] == (40, 40)
    # What half the cells say alike is left out, as in a reading: at least about half the map is empty.
    assert sample.saliency.max() == pytest.approx(1, abs=0.05)
    assert np.median(sample.saliency) < 0.05


def test_names_are_shown_as_text() -> None:
    pixels, empty = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.float32)
    page = Page(
        title=HOSTILE,
        about=HOSTILE,
        tables=[Table(HOSTILE, HOSTILE, (HOSTILE,), [(HOSTILE,)])],
        plots=[Plot(HOSTILE, "<svg></svg>")],
        mistakes=[Mistake(HOSTILE, "fear", "anger", 0.9, pixels)],
        samples=[Sample(HOSTILE, "fear", 0.9, pixels, empty, {HOSTILE: empty, "occlusion": empty})],
    )
    parsed = Parsed(page.to_html())
    assert not parsed.named("script")
    assert HOSTILE in parsed.text
    alts = [picture["alt"] or "" for picture in parsed.named("img")]
    # The mistake; and of the sample the photo, its map, both together, and two other methods.
    assert len(alts) == 1 + 5
    assert any(HOSTILE in alt for alt in alts)
    assert f"The same by {HOSTILE}" in alts


def test_a_sweep_s_page_has_its_table_and_chart() -> None:
    rows = [Row("adam", 3, 0.5, 0.01, 0.45, 0.02), Row("sgd", 1, 0.6, None, 0.55, None)]
    html = sweep_page("optimizers", rows).to_html()
    text = Parsed(html).text
    assert "50.00 ± 1.00" in text
    assert "55.00" in text
    assert "<svg" in html


def test_a_value_whose_runs_failed_is_marked(tmp_path: Path) -> None:
    rows = [Row("0.1", 2, 0.5, 0.01, 0.45, 0.02, failed=1), Row("9.0", 0, nan, None, nan, None, failed=3)]
    assert as_markdown(rows).endswith(
        "| 0.1 | 50.00 ± 1.00 | 45.00 ± 2.00 | 2 (1 failed) |\n| 9.0 | failed | failed | 0 (3 failed) |\n"
    )
    held = json.dumps([row.to_dict() for row in rows], allow_nan=False)
    (tmp_path / "sweep.json").write_text(held)
    text = Parsed(write_report(tmp_path, tmp_path / "cache").read_text()).text
    assert "0 (3 failed)" in text
    assert "nan" not in text
    assert "failed" in Parsed(sweep_page("rate", rows[1:]).to_html()).text


def test_a_sweep_that_was_stopped_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(
        LabError, match=f"not finished: repeat the `dogmood sweep` that began it, with --out {tmp_path}"
    ):
        write_report(tmp_path, tmp_path / "cache")


@pytest.mark.parametrize("text", ["", "{}", "[{}]", "[3]", '[{"value": "x", "seeds": 1, "valid": null}]'])
def test_a_damaged_table_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(LabError, match=r"sweep\.json is damaged: repeat"):
        write_report(tmp_path, tmp_path / "cache")


def test_a_folder_that_is_neither_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no folder of a run"):
        write_report(tmp_path, tmp_path / "cache")
