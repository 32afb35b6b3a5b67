from __future__ import annotations

import json

import pytest
import torch
from torch.nn import Parameter
from torch.optim import SGD

from dogmood.lab import LabError
from dogmood.lab.schedulers import SCHEDULERS, Schedule

STEPS = 4


def rates(name: str, epochs: int, accuracies: list[float] | None = None) -> list[float]:
    """The rate at the start of each epoch and after the last."""
    optimizer = SGD([Parameter(torch.ones(1))], 0.01)
    schedule = Schedule(name, optimizer, epochs, STEPS)
    seen = []
    for epoch in range(epochs):
        seen.append(optimizer.param_groups[0]["lr"])
        for _ in range(STEPS):
            optimizer.step()
            schedule.after_step()
        schedule.after_epoch(accuracies[epoch] if accuracies else 0.5)
    return [*seen, optimizer.param_groups[0]["lr"]]


def test_constant_never_moves() -> None:
    assert rates("constant", 30) == [0.01] * 31


def test_step_halves_every_twenty_epochs() -> None:
    seen = rates("step", 45)
    assert (seen[19], seen[20], seen[40]) == pytest.approx((0.01, 0.005, 0.0025))


def test_a_plateau_of_more_than_five_epochs_takes_a_quarter_off() -> None:
    seen = rates("reduce_on_plateau", 8)
    assert seen[6] == 0.01
    assert seen[7] == pytest.approx(0.0075)


def test_no_plateau_no_change() -> None:
    assert rates("reduce_on_plateau", 20, [i / 20 for i in range(20)])[-1] == 0.01


def test_cosine_ends_at_its_least() -> None:
    seen = rates("cosine", 10)
    assert seen[5] == pytest.approx((0.01 + 1e-6) / 2)
    assert seen[10] == pytest.approx(1e-6)


def test_warm_restarts_come_every_ten_epochs() -> None:
    seen = rates("cosine_warm_restarts", 20)
    assert seen[9] < 0.001
    assert seen[10] == pytest.approx(0.01)


def test_one_cycle_rises_to_the_rate_and_falls_below_its_start() -> None:
    seen = rates("one_cycle", 10)
    assert seen[0] == pytest.approx(0.01 / 25)
    assert max(seen) == pytest.approx(0.01, rel=0.05)
    assert seen[-1] < seen[0]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_schedule_goes_on_from_its_state_as_json(name: str) -> None:
    def go(optimizer: SGD, schedule: Schedule, epochs: range) -> list[float]:
        seen = []
        for epoch in epochs:
            for _ in range(STEPS):
                optimizer.step()
                schedule.after_step()
            schedule.after_epoch(0.5 + 0.01 * (epoch % 3))
            seen.append(optimizer.param_groups[0]["lr"])
        return seen

    def new() -> tuple[SGD, Schedule]:
        optimizer = SGD([Parameter(torch.ones(1))], 0.01)
        return optimizer, Schedule(name, optimizer, 24, STEPS)

    through = go(*new(), range(24))
    optimizer, schedule = new()
    go(optimizer, schedule, range(11))
    state, groups = json.loads(json.dumps([schedule.state(), optimizer.state_dict()["param_groups"]]))
    later, resumed = new()
    later.load_state_dict({"state": {}, "param_groups": groups})
    resumed.load(state)
    assert go(later, resumed, range(11, 24)) == through[11:]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabError, match="one_cycle"):
        rates("cosinus", 1)
