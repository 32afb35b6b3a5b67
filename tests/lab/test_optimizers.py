from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import Parameter

from dogmood.lab import LabError, optimizers
from dogmood.lab.checkpoint import Training, new_scaler
from dogmood.lab.optimizers import OPTIMIZERS, default_rate, make_optimizer
from dogmood.lab.schedulers import Schedule


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


@pytest.mark.parametrize("name", ["sgd", "sgd_nesterov", "adam", "amsgrad", "adamw"])
def test_on_a_gpu_a_step_is_one_call_and_goes_on_from_a_checkpoint(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not make_optimizer(name, [Parameter(torch.ones(1))], 0.01, 0.9, 0).param_groups[0]["fused"]
    monkeypatch.setattr(optimizers, "_fused", lambda parameters: True)
    # Processors have fused steps too, with the same demand: all laid out alike in memory.
    device = torch.device("cpu")

    def begun() -> Training:
        torch.manual_seed(0)
        net: nn.Module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3))
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = make_optimizer(name, net.parameters(), 0.01, 0.9, 1e-4)
        assert optimizer.param_groups[0]["fused"]
        return Training(net, optimizer, Schedule("constant", optimizer, 4, 1), new_scaler(device))

    def stepped(training: Training) -> Training:
        for _ in range(2):
            training.optimizer.zero_grad()
            loss = training.net(torch.linspace(0, 1, 300).reshape(1, 3, 10, 10)).square().mean()
            training.scaler.scale(loss).backward()
            training.scaler.step(training.optimizer)
            training.scaler.update()
        return training

    through = stepped(begun())
    through.save(tmp_path / "last.safetensors")
    resumed = begun()
    resumed.load(tmp_path / "last.safetensors")
    for parameter, state in resumed.optimizer.state.items():
        alike = [value for value in state.values() if value is not None and value.shape == parameter.shape]
        assert alike
        assert all(value.stride() == parameter.stride() for value in alike)
    for one, other in zip(stepped(through).net.parameters(), stepped(resumed).net.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("name", ["sgd", "sgd_nesterov", "adam", "amsgrad", "adamw"])
def test_a_step_of_one_call_leaves_out_what_overflowed(
    name: str, momentum: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []
    for fused in (None, True):
        monkeypatch.setattr(optimizers, "_fused", lambda parameters, fused=fused: fused)
        weight, scaler = Parameter(torch.linspace(-1, 1, 12).reshape(4, 3)), new_scaler(torch.device("cpu"))
        optimizer = make_optimizer(name, [weight], 0.01, momentum, 1e-2)
        for factor in (float("inf"), float("inf"), 1.0, 1.0, float("inf"), 1.0):
            optimizer.zero_grad()
            scaler.scale((weight**2).sum() * factor).backward()
            scaler.step(optimizer)
            scaler.update()
        reached.append(weight.detach())
    assert torch.allclose(*reached, atol=1e-6)
    assert not torch.allclose(reached[0], torch.linspace(-1, 1, 12).reshape(4, 3), atol=1e-4)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabError, match="sgd_nesterov"):
        make_optimizer("sdg", [Parameter(torch.ones(1))], 0.01, 0.9, 0)
