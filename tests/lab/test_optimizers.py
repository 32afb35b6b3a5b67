from __future__ import annotations

import pytest
import torch
from torch.nn import Parameter

from dogmood.lab import LabError
from dogmood.lab.optimizers import OPTIMIZERS, default_rate, make_optimizer


def test_the_protocol_s_optimizers_are_there() -> None:
    wanted = {"adadelta", "adagrad", "adam", "amsgrad", "adamw", "asgd", "sgd", "sgd_nesterov"}
    assert set(OPTIMIZERS) == wanted


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_takes_rate_and_decay_and_goes_downhill(name: str) -> None:
    weight = Parameter(torch.tensor([2.0]))
    optimizer = make_optimizer(name, [weight], default_rate(name), 0.9, 1e-4)
    group = optimizer.param_groups[0]
    assert group["lr"] == default_rate(name)
    assert group["weight_decay"] == 1e-4
    for _ in range(20):
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
    assert abs(weight.item()) < 2.0


def test_sgd_and_nesterov_share_momentum_and_differ_in_looking_ahead() -> None:
    groups = {
        name: make_optimizer(name, [Parameter(torch.ones(1))], 0.01, 0.8, 0).param_groups[0]
        for name in ("sgd", "sgd_nesterov")
    }
    assert [groups[name]["momentum"] for name in groups] == [0.8, 0.8]
    assert not groups["sgd"]["nesterov"]
    assert groups["sgd_nesterov"]["nesterov"]


def test_amsgrad_is_adam_that_remembers_the_largest_step() -> None:
    assert make_optimizer("amsgrad", [Parameter(torch.ones(1))], 0.01, 0.9, 0).param_groups[0]["amsgrad"]
    assert not make_optimizer("adam", [Parameter(torch.ones(1))], 0.01, 0.9, 0).param_groups[0]["amsgrad"]


def test_momentum_is_adam_s_first_beta() -> None:
    assert make_optimizer("adamw", [Parameter(torch.ones(1))], 0.01, 0.7, 0).param_groups[0]["betas"] == (0.7, 0.999)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabError, match="sgd_nesterov"):
        make_optimizer("sdg", [Parameter(torch.ones(1))], 0.01, 0.9, 0)
