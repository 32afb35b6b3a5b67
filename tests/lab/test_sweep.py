from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab import sweep as sweeping
from dogmood.lab.locking import alone_in
from dogmood.lab.run import Run
from dogmood.lab.settings import RunSettings, settings_of
from dogmood.lab.sweep import PLAN, Cell, RunsFailedError, is_done, plan, sweep

PATIENCE = 600.0
"""Seconds after which a sweep that was told to stop is taken not to."""


@pytest.fixture
def base(small_data: Path) -> RunSettings:
    small = {"network": "shallow_cnn", "cut": "photo", "epochs": 1, "batch": 8, "crops": 1}
    return settings_of({"data": str(small_data / "emotions"), **small})


def test_the_optimizer_sweep_is_each_optimizer_constant_and_decaying(base: RunSettings) -> None:
    cells = plan("optimizers", base, seeds=2)
    assert len(cells) == 8 * 2 * 2
    assert {cell.settings.scheduler for cell in cells} == {"constant", "reduce_on_plateau"}
    assert next(c for c in cells if c.value == "adam constant").settings.rate == 1e-3
    assert {cell.settings.seed for cell in cells} == {0, 1}
    assert {cell.settings.epochs for cell in cells} == {1}


def test_the_scheduler_sweep_is_every_schedule_with_nesterov(base: RunSettings) -> None:
    cells = plan("schedulers", base, seeds=1)
    assert len(cells) == 6
    assert {cell.settings.optimizer for cell in cells} == {"sgd_nesterov"}


def test_a_rate_that_all_share_holds_for_every_schedule_and_each_optimizer_keeps_its_own(base: RunSettings) -> None:
    slow = settings_of({"rate": 0.003}, base)
    assert {cell.settings.rate for cell in plan("schedulers", slow, seeds=1)} == {0.003}
    rates = {cell.settings.optimizer: cell.settings.rate for cell in plan("optimizers", slow, seeds=1)}
    assert (rates["sgd_nesterov"], rates["adadelta"]) == (0.01, 1.0)


def test_what_is_named_holds_for_every_value(base: RunSettings) -> None:
    slow = settings_of({"rate": 0.003}, base)
    axis = "optimizer=adam,sgd"
    assert [cell.settings.rate for cell in plan(axis, slow, 1, {"rate"})] == [0.003, 0.003]
    assert [cell.settings.rate for cell in plan(axis, slow, 1)] == [0.001, 0.01]


def test_each_network_is_trained_as_it_wants_to_be_unless_that_is_named(base: RunSettings) -> None:
    def starts(base: RunSettings, *named: str) -> list[tuple[str, float]]:
        cells = plan("network=vggnet,dinov2_s", base, 1, named)
        return [(cell.settings.optimizer, cell.settings.rate) for cell in cells]

    assert starts(base) == [("sgd_nesterov", 0.01), ("adamw", 1e-5)]
    assert starts(settings_of({"rate": 0.003}, base), "rate") == [("sgd_nesterov", 0.003)] * 2
    assert starts(settings_of({"optimizer": "adam"}, base), "optimizer") == [("adam", 0.001)] * 2


def test_any_setting_can_be_varied(base: RunSettings) -> None:
    cells = plan("weight-decay=0,0.001", base, seeds=1)
    assert [cell.settings.weight_decay for cell in cells] == [0.0, 0.001]
    tasks = plan("emotions=anger+fear,anger+relaxed", base, seeds=1)
    assert [cell.settings.emotions for cell in tasks] == [("anger", "fear"), ("anger", "relaxed")]


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ("optimisers", "optimizers, schedulers"),
        ("rate=", "nothing to vary"),
        ("rate=fast", "no number"),
        ("colour=red", "cannot be set"),
        ("seed=1,2", "cannot be set"),
        ("pretrained=maybe", "true or false"),
        ("optimizer=lion", "lion"),
        ("rate=0.01,1e-2", "give the same runs, 0.01 and 0.01"),
        ("emotions=anger+fear,anger+fear", "give the same runs"),
        ("rate=0.1,inf", "above 0"),
    ],
)
def test_what_cannot_be_varied_is_one_sentence(base: RunSettings, axis: str, words: str) -> None:
    with pytest.raises(LabError, match=words):
        plan(axis, base, seeds=1)


def test_a_sweep_ends_with_its_table(base: RunSettings, tmp_path: Path) -> None:
    cells = plan("rate=0.01,0.02", base, seeds=2)
    rows = sweep(cells, tmp_path / "sweep", tmp_path / "cache")
    assert [(row.value, row.seeds) for row in rows] == [("0.01", 2), ("0.02", 2)]
    folder = tmp_path / "sweep" / "0.01" / "seed-0"
    accuracy = json.loads((folder / "test.json").read_text())["accuracy"]["value"]
    other = json.loads((folder.parent / "seed-1" / "test.json").read_text())["accuracy"]["value"]
    assert rows[0].test == pytest.approx((accuracy + other) / 2)
    assert rows[0].valid_spread is not None
    assert Run.open(folder).settings.seed == 0
    assert "0.02" in (tmp_path / "sweep" / "table.md").read_text()
    assert (tmp_path / "sweep" / "plot.svg").read_text().startswith("<svg")


def test_what_is_done_is_not_done_again(base: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = plan("rate=0.01,0.02", base, seeds=1)
    done: list[str] = []
    real = sweeping.run_cell

    def counted(cell: Cell, out: Path, cache: Path) -> None:
        if len(done) == 1 and cell.folder not in done:
            done.append("stop")
            raise KeyboardInterrupt
        done.append(cell.folder)
        real(cell, out, cache)

    monkeypatch.setattr(sweeping, "run_cell", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep(cells, tmp_path / "sweep", tmp_path / "cache")
    sweep(cells, tmp_path / "sweep", tmp_path / "cache")
    assert done == [cells[0].folder, "stop", cells[1].folder]


def test_a_folder_of_another_sweep_is_refused(base: RunSettings, tmp_path: Path) -> None:
    sweep(plan("rate=0.01", base, seeds=1), tmp_path / "sweep", tmp_path / "cache")
    with pytest.raises(LabError, match="another sweep"):
        sweep(plan("rate=0.02", base, seeds=1), tmp_path / "sweep", tmp_path / "cache")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_fails_keeps_no_other_from_being_done(base: RunSettings, tmp_path: Path, jobs: int) -> None:
    cells = plan("rate=1e30,0.01,1e31", base, seeds=1)
    with pytest.raises(RunsFailedError) as raised:
        sweep(cells, tmp_path / "sweep", tmp_path / "cache", jobs)
    said = str(raised.value)
    assert said.startswith("2 of 3 runs failed, 1e+30/seed-0 first: The loss is no longer a number")
    assert "; 1e+31/seed-0: The loss" in said
    assert "change a setting with --set" in said
    assert "--rate" not in said
    assert [(row.value, row.seeds, row.failed) for row in raised.value.rows] == [
        ("1e+30", 0, 1), ("0.01", 1, 0), ("1e+31", 0, 1)
    ]  # fmt: skip
    assert "| 1e+30 | failed | failed | 0 (1 failed) |" in (tmp_path / "sweep" / "table.md").read_text()
    assert (tmp_path / "sweep" / "plot.svg").exists()


def test_fewer_than_no_jobs_are_refused(base: RunSettings, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="--jobs is -1"):
        sweep(plan("rate=0.01", base, seeds=1), tmp_path / "sweep", tmp_path / "cache", jobs=-1)


def test_a_sweep_goes_on_with_the_photos_it_was_begun_with(base: RunSettings, tmp_path: Path) -> None:
    data = shutil.copytree(base.data, tmp_path / "data")
    cells = plan("rate=0.01", settings_of({"data": str(data)}, base), seeds=1)
    sweep(cells, tmp_path / "sweep", tmp_path / "cache")
    path = tmp_path / "sweep" / PLAN
    held = json.loads(path.read_text())
    # An earlier version's plan knows nothing of the photos, and is completed.
    path.write_text(json.dumps(held["runs"]))
    sweep(cells, tmp_path / "sweep", tmp_path / "cache")
    assert json.loads(path.read_text()) == held
    manifest = data / "manifest.csv"
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(LabError, match=r"manifest\.csv has changed since the sweep"):
        sweep(cells, tmp_path / "sweep", tmp_path / "cache")


def test_a_run_counts_as_done_when_its_last_network_was_tested(base: RunSettings, tmp_path: Path) -> None:
    out, cache = tmp_path / "sweep", tmp_path / "cache"
    (cell,) = cells = plan("epochs=2", base, seeds=1)
    rows = sweep(cells, out, cache)
    assert is_done(cell, out)
    figures = (out / cell.folder / "test.json").read_text()
    # Tested, but by an earlier network.
    (out / cell.folder / "test.json").write_text(
        json.dumps(json.loads(figures) | {"weights": {"best.safetensors": ""}})
    )
    assert not is_done(cell, out)
    assert sweep(cells, out, cache) == rows
    assert (out / cell.folder / "test.json").read_text() == figures
    # Tested in the middle of its training.
    run = Run.open(out / cell.folder)
    run.write_metrics(run.metrics()[:1])
    assert not is_done(cell, out)
    assert sweep(cells, out, cache) == rows
    assert len(run.metrics()) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(("how", "code"), [("ctrl-c", 130), ("SIGTERM", 143)])
def test_runs_side_by_side_stop_when_they_are_told_to(base: RunSettings, tmp_path: Path, how: str, code: int) -> None:
    small = [f"{name}={getattr(base, name)}" for name in ("network", "cut", "batch", "crops")]
    settings = [word for setting in [*small, "epochs=100000"] for word in ("--set", setting)]
    words = ["sweep", "rate=0.01,0.02,0.03,0.04,0.05", "--data", base.data, "--seeds", "1", "--jobs", "2", *settings]
    words += ["--out", "sweep", "--cache", "cache"]
    # A session of its own, as a terminal's: Ctrl-C reaches every process of it.
    process = subprocess.Popen(
        [sys.executable, "-m", "dogmood", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    try:
        while len(begun := list(tmp_path.glob("sweep/*/seed-0/metrics.csv"))) < 2:
            assert process.poll() is None
            time.sleep(0.1)
        if how == "ctrl-c":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, said) == (code, "Stopped: what was done is kept in sweep; the same words go on.\n")
    assert len(list(tmp_path.glob("sweep/*/seed-0"))) == len(begun) == 2
    # Nobody is left at work there.
    for run in begun:
        with alone_in(run.parent):
            pass


def test_runs_side_by_side_give_what_runs_in_turn_give(base: RunSettings, tmp_path: Path) -> None:
    cells = plan("rate=0.01,0.02,0.03", base, seeds=1)
    in_turn = sweep(cells, tmp_path / "turn", tmp_path / "cache", jobs=1)
    assert sweep(cells, tmp_path / "side", tmp_path / "cache", jobs=2) == in_turn


def test_ray_runs_the_same_sweep(base: RunSettings, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="the cluster extra is not installed")
    cells = plan("rate=0.01,0.02", base, seeds=1)
    try:
        rows = sweep(cells, tmp_path / "ray", tmp_path / "cache", cluster="local")
    finally:
        ray.shutdown()
    assert rows == sweep(cells, tmp_path / "here", tmp_path / "cache")
