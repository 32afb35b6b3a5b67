from __future__ import annotations

import json
from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab import sweep as sweeping
from dogmood.lab.run import Run
from dogmood.lab.settings import RunSettings, settings_of
from dogmood.lab.sweep import Cell, plan, sweep


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
