"""What the benchmark beside peers makes of its figures, and whom it leaves out; nothing is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from race.candidates import CANDIDATES, MODELS, environment_of
from race.course import Course, lay_out
from race.process import AbsentError, Worker, last_line, run_once
from race.running import Runner, enter, turns
from race.sizes import closure_bytes
from race.tables import table, to_markdown

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks/peers.py"
THEIRS = next(one for one in CANDIDATES if one.theirs)


def spread(value: float) -> dict[str, Any]:
    return {"median": value, "ratio": value, "quartiles": [value / 2, value * 2]}


def row(name: str, kind: str, value: float, **over: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "title": name, "kind": kind, "job": f"the job of {name}", "read": "3 dogs"}
    made |= {key: spread(value) for key in ("latency_ms", "photos_per_s", "cold_start_s")}
    made |= {f"{key}_over": over for key in ("latency", "photos_per_s", "cold_start")}
    return made | {"peak_mb": 1234.5, "installed_mb": None}


@pytest.fixture
def figures() -> dict[str, Any]:
    return {
        "threads": 2,
        "cores": 2,
        "rounds": 6,
        "cold_starts": 5,
        "photos": {"count": 108, "different": 108, "median_megapixels": 0.147, "dogs": {"fast": 120, "base": 121}},
        "candidates": [
            row("fast", "dogmood", 30.0, base=spread(0.2)),
            row("base", "dogmood", 150.0, fast=spread(5.0)),
            row("limit-fast", "limit", 20.0, fast=spread(0.7), base=spread(0.15)),
            row("keras", "peer", 60.0, fast=spread(2.25), base=spread(0.4)),
        ],
        "multiplication": {"1": spread(80.0), "2": spread(160.0)},
        "networks": [
            {
                "model": "base",
                "network": "classifier",
                "input": [1, 2, 3, 224, 224],
                "gflop": 24.5,
                "gflops": spread(90.0),
                "of_the_rate": 0.5625,
            }
        ],
        "left_out": [{"name": "deepface", "title": "deepface, onnx", "reason": "there is no build/peers"}],
    }


def test_a_table_keeps_its_columns() -> None:
    assert table(["", "job"], [["a|b", "c"]]) == "|  | job |\n| --- | ---: |\n| a\\|b | c |"


def test_the_tables_say_all_and_what_they_do_not_say(figures: dict[str, Any]) -> None:
    text = to_markdown(figures)
    assert "| keras | 60.0 (30.0 to 120.0) | 60.0 (30.0 to 120.0) | 60.00 (30.00 to 120.00) | 1,234 | - |" in text
    assert "| keras | 2.25 (1.12 to 4.50) | 0.40 (0.20 to 0.80) |" in text
    assert "| fast | - | 0.20 (0.10 to 0.40) |" in text
    assert "| classifier of base | 24.50 | 90 (45 to 180) | 56% |" in text
    assert "- left out: deepface, onnx: there is no build/peers" in text
    assert "the job of limit-fast" in text
    assert "nothing of how well they read" in text


def test_without_networks_there_is_no_such_table(figures: dict[str, Any]) -> None:
    assert "GFLOP" not in to_markdown(figures | {"networks": []})


def test_the_plot_shows_everyone_and_is_the_same_each_time(figures: dict[str, Any]) -> None:
    pytest.importorskip("torch", reason="the lab's plots: pip install '.[lab]'")
    from race.plot import draw

    svg = draw(figures)
    assert all(f">{one['title']}<" in svg for one in figures["candidates"])
    assert svg == draw(figures)


def test_figures_are_drawn_anew_without_measuring(figures: dict[str, Any], tmp_path: Path) -> None:
    kept, out = tmp_path / "figures.json", tmp_path / "new/table.md"
    kept.write_text(json.dumps(figures))
    subprocess.run([sys.executable, PEERS, "--drawn-from", kept, "--table", out], check=True)
    assert out.read_text("utf-8") == to_markdown(figures)


def test_it_is_told_what_to_do() -> None:
    done = subprocess.run([sys.executable, PEERS], capture_output=True, text=True)
    assert done.returncode == 2
    assert "either --photos or --drawn-from" in done.stderr


def setup(reader: str, folder: Path, **arguments: str) -> dict[str, Any]:
    return {"reader": reader, "arguments": arguments, "folder": str(folder), "threads": 1, "photos": ["0000"]}


def test_a_process_answers_and_ends(tmp_path: Path) -> None:
    worker = Worker(sys.executable, setup("Multiplication", tmp_path), environment_of(None, 1))
    assert worker.ask("memory")["mb"] > 10
    worker.close()


def test_who_cannot_load_says_why(tmp_path: Path) -> None:
    wrong = setup("Dogmood", tmp_path, model="nonesuch")
    with pytest.raises(AbsentError, match="There is no model"):
        Worker(sys.executable, wrong, environment_of(None, 1))
    with pytest.raises(AbsentError, match="There is no model"):
        run_once(sys.executable, "once", wrong, environment_of(None, 1))


def test_a_failing_question_says_why(tmp_path: Path) -> None:
    worker = Worker(sys.executable, setup("Dogmood", tmp_path, model="fast"), environment_of(None, 1))
    try:
        with pytest.raises(AbsentError, match=r"0000\.jpg"):
            worker.ask("latency", ["0000"])
    finally:
        worker.close()


def test_the_reason_is_what_was_said_last() -> None:
    assert last_line("Traceback\n  File\nImportError: no keras\n\n") == "ImportError: no keras"
    assert last_line("") == "it ended without a word"


def test_who_is_not_installed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("race.candidates.THEIRS", tmp_path / "nowhere")
    course = Course(tmp_path, ["0000"], 0.1, 1, 1)
    with pytest.raises(AbsentError, match="make bench-peers"):
        enter(THEIRS, course, 1)


def test_deepface_needs_a_person(tmp_path: Path) -> None:
    course = Course(tmp_path, ["0000"], 0.1, 1, 1, people="there is no photo of a person")
    with pytest.raises(AbsentError, match="no photo of a person"):
        enter(replace(THEIRS, theirs=False), course, 1)


def test_everyone_leads_in_turn() -> None:
    runners = [Runner(candidate, None) for candidate in CANDIDATES[:3]]  # type: ignore[arg-type]
    orders = [[one.candidate.name for one in turns(runners, number)] for number in range(6)]
    assert all(sorted(order) == sorted(orders[0]) for order in orders)
    assert len({order[0] for order in orders}) == 3


def test_the_course_gives_all_the_same_sizes(tmp_path: Path, imagenet: Path) -> None:
    photos = [imagenet / "imagenet_00_243.jpg", imagenet / "imagenet_05_853.jpg"]
    course = lay_out(tmp_path, photos, singles=1, block=1)
    assert course.people == ""
    for name in course.names:
        with Image.open(tmp_path / f"dogs/{name}.jpg") as dog, Image.open(tmp_path / f"people/{name}.jpg") as person:
            assert dog.size == person.size
    assert course.of_round(0) == (["0000"], ["0001"])
    for model in MODELS:
        kinds = [[network for network, _ in course.shapes[model][name]] for name in course.names]
        assert kinds == [["finder", "classifier"], ["finder"]]
        assert course.dogs[model] == 1


def test_a_package_is_counted_with_what_it_needs(tmp_path: Path) -> None:
    for name, needs, size in (("one", ["Two.x", "three; extra == 'more'"], 5), ("two-x", [], 70), ("three", [], 900)):
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (tmp_path / f"{name}.py").write_bytes(bytes(size))
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            + "".join(f"Requires-Dist: {need}\n" for need in needs)
        )
        (info / "RECORD").write_text(f"{name}.py,,\ngone.py,,\n")
    assert closure_bytes(["one"], [str(tmp_path)]) == 75
    with pytest.raises(LookupError, match="four is not installed"):
        closure_bytes(["one", "four"], [str(tmp_path)])
