from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dogmood import atomic
from dogmood.errors import UsageError
from dogmood.lab import LabError, fit
from dogmood.lab.augment import Augment
from dogmood.lab.devices import Team
from dogmood.lab.fit import train
from dogmood.lab.optimizers import OPTIMIZERS
from dogmood.lab.run import EpochMetrics, Run
from dogmood.lab.settings import settings_of

EPOCHS = 3


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "cuts"


def begin(data: Path, folder: Path, **given: Any) -> Run:
    small = {"network": "shallow_cnn", "cut": "photo", "epochs": EPOCHS, "batch": 8, "crops": 1}
    return Run.create(folder, settings_of({"data": str(data / "emotions"), **small, **given}))


def weights(run: Run, name: str = "last") -> dict[str, torch.Tensor]:
    return load_file(run.folder / f"{name}.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def figures(run: Run) -> list[tuple[float, ...]]:
    return [(r.epoch, r.rate, r.train_loss, r.train_accuracy, r.valid_loss, r.valid_accuracy) for r in run.metrics()]


def test_a_run_leaves_weights_metrics_and_tensorboard(small_data: Path, tmp_path: Path, cache: Path) -> None:
    run = begin(small_data, tmp_path / "run", epochs=12, optimizer="adam")
    progress = train(run, cache)
    rows = run.metrics()
    assert [row.epoch for row in rows] == list(range(1, 13))
    assert rows[-1].train_loss < rows[0].train_loss
    assert progress.best.valid_accuracy == max(row.valid_accuracy for row in rows)
    assert list((run.folder / "tensorboard").iterdir())
    with (run.folder / "metrics.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 12
    kept = dict(run.network().state_dict())
    assert same(kept, weights(run, "best"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_stopped_run_goes_on_bit_for_bit(
    optimizer: str, small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = "one_cycle" if optimizer == "sgd" else "reduce_on_plateau"
    through = begin(small_data, tmp_path / "through", optimizer=optimizer, scheduler=scheduler)
    train(through, cache)
    stopped = begin(small_data, tmp_path / "stopped", optimizer=optimizer, scheduler=scheduler)
    real, steps = fit.Trainer._step, []

    def interrupted(self: fit.Trainer, *crops: torch.Tensor) -> torch.Tensor:
        steps.append(1)
        if len(steps) == 4:  # the second step of the second epoch
            raise KeyboardInterrupt
        return real(self, *crops)

    monkeypatch.setattr(fit.Trainer, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, cache)
    assert len(stopped.metrics()) == 1
    train(Run.open(stopped.folder), cache)
    assert figures(stopped) == figures(through)
    assert same(weights(stopped), weights(through))
    assert same(weights(stopped, "best"), weights(through, "best"))


def test_a_killed_process_goes_on_from_the_last_epoch_kept(small_data: Path, tmp_path: Path, cache: Path) -> None:
    through = begin(small_data, tmp_path / "through", epochs=60)
    train(through, cache)
    killed = tmp_path / "killed"
    options = ["--network", "shallow_cnn", "--cut", "photo", "--epochs", "60", "--batch", "8", "--crops", "1"]
    start = ["--data", str(small_data / "emotions"), "--out", str(killed), *options]
    process = command("train", *start, "--cache", str(cache))
    deadline = time.monotonic() + 120
    while not (killed / "metrics.csv").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < len(Run.open(killed).metrics()) < 60
    assert command("train", "--resume", str(killed), "--cache", str(cache)).wait(120) == 0
    assert same(weights(Run.open(killed)), weights(through))
    assert figures(Run.open(killed)) == figures(through)


def command(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "dogmood", *words], stdout=subprocess.DEVNULL)


def test_checkpoints_are_written_as_often_as_time_allows_and_after_the_last_epoch(
    small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = begin(small_data, tmp_path / "through", epochs=6)
    train(through, cache)
    monkeypatch.setattr(fit, "KEEPING", 1e-9)
    rare = begin(small_data, tmp_path / "rare", epochs=6)
    real, kept = Run.write_metrics, []

    def told(self: Run, rows: list[EpochMetrics]) -> None:
        kept.append(len(rows))
        real(self, rows)

    monkeypatch.setattr(Run, "write_metrics", told)
    train(rare, cache)
    assert kept == [1, 6]
    assert figures(rare) == figures(through)
    for name in ("last", "best"):
        assert same(weights(rare, name), weights(through, name))


def test_a_loss_that_is_no_number_names_the_epoch_that_was_kept(
    small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "KEEPING", 1e-9)
    run, real = begin(small_data, tmp_path / "run", epochs=6), fit.Trainer._step

    def broken(self: fit.Trainer, crops: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        sums = real(self, crops, labels)
        return sums * float("nan") if self.training.progress.epochs == 3 else sums

    monkeypatch.setattr(fit.Trainer, "_step", broken)
    with pytest.raises(LabError, match=r"epoch 4, step .*the weights after epoch 1 are in"):
        train(run, cache)
    assert len(run.metrics()) == 1


def test_a_gpu_is_given_the_same_pictures_in_the_same_order(
    small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"augmentation": "none", "precision": "full", "batch": 4}
    single = begin(small_data, tmp_path / "single", **given)
    train(single, cache)
    many, real, sizes = begin(small_data, tmp_path / "many", **given), Augment.__call__, []

    def told(self: Augment, pictures: torch.Tensor) -> torch.Tensor:
        sizes.append(len(pictures))
        return real(self, pictures)

    monkeypatch.setattr(fit.Trainer, "_steps_at_once", lambda self: 3)
    monkeypatch.setattr(Augment, "__call__", told)
    train(many, cache)
    assert max(sizes) == 12
    assert figures(many) == figures(single)
    assert same(weights(many), weights(single))


def test_a_gpu_augments_many_small_pictures_at_once_and_few_large_ones(
    small_data: Path, tmp_path: Path, cache: Path
) -> None:
    def at_once(network: str, device: str, crops: int) -> int:
        folder = tmp_path / f"{network}-{device}-{crops}"
        run = begin(small_data, folder, network=network, crops=crops, pretrained=False)
        trainer = fit.Trainer(Team(0, 1, torch.device("cpu")), run, cache)
        trainer.team = Team(0, 1, torch.device(device))
        return trainer._steps_at_once()

    assert at_once("shallow_cnn", "cpu", 1) == 1
    assert at_once("shallow_cnn", "cuda", 1) == 2**25 // (8 * 48 * 48)
    assert at_once("efficientnet_lite0", "cuda", 1) == 21
    assert at_once("efficientnet_lite0", "cuda", 10) == 2


def test_seeds_tell_runs_apart_and_nothing_else_does(small_data: Path, tmp_path: Path, cache: Path) -> None:
    runs = [begin(small_data, tmp_path / str(i), seed=seed, epochs=1) for i, seed in enumerate((1, 1, 2))]
    for run in runs:
        train(run, cache)
    assert same(weights(runs[0]), weights(runs[1]))
    assert not same(weights(runs[0]), weights(runs[2]))


def test_a_loss_that_is_no_number_stops_the_run_and_says_where(small_data: Path, tmp_path: Path, cache: Path) -> None:
    run = begin(small_data, tmp_path / "run", optimizer="adadelta", rate=1e30, epochs=30)
    with pytest.raises(LabError, match=r"epoch \d+, step \d+.*--rate"):
        train(run, cache)
    for tensor in weights(run).values() if run.metrics() else ():
        assert torch.isfinite(tensor).all()


def test_a_full_disk_leaves_the_last_checkpoint(
    small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(small_data, tmp_path / "run", epochs=1)
    train(run, cache)
    before = weights(run)
    longer = Run(run.folder, settings_of({"epochs": 2}, run.settings), run.data_sha256)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        train(longer, cache)
    assert same(weights(run), before)
    assert not list(run.folder.glob("*.part"))


def test_two_processes_share_each_batch(small_data: Path, tmp_path: Path, cache: Path) -> None:
    alone = begin(small_data, tmp_path / "alone", epochs=1, augmentation="none", precision="full")
    both = begin(small_data, tmp_path / "both", epochs=1, augmentation="none", precision="full", devices=2)
    train(alone, cache)
    train(both, cache)
    # Without augmentation and dropout a shared batch is the same batch.
    for name, tensor in weights(alone).items():
        assert torch.allclose(tensor, weights(both)[name], atol=1e-5), name
    assert both.metrics()[0].valid_loss == pytest.approx(alone.metrics()[0].valid_loss, abs=1e-4)


def test_an_error_in_one_of_several_processes_is_one_sentence(small_data: Path, tmp_path: Path, cache: Path) -> None:
    run = begin(small_data, tmp_path / "run", optimizer="adadelta", rate=1e30, epochs=30, devices=2)
    with pytest.raises(LabError, match="no longer a number"):
        train(run, cache)


def test_weights_that_the_last_step_broke_are_not_kept(small_data: Path, tmp_path: Path, cache: Path) -> None:
    # One step an epoch: its loss was still a number.
    run = begin(small_data, tmp_path / "run", optimizer="sgd", rate=1e38, epochs=1, batch=1000)
    with pytest.raises(LabError, match=r"on the validation photos after epoch 1: .* \(no epoch was kept\)"):
        train(run, cache)
    assert not (run.folder / "best.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="folders are shut otherwise there")
def test_several_processes_leave_together_when_files_cannot_be_written(
    small_data: Path, tmp_path: Path, cache: Path
) -> None:
    run = begin(small_data, tmp_path / "run", epochs=2, devices=2)
    (run.folder / "metrics.csv").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        train(run, cache)


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
def test_ctrl_c_stops_several_processes_with_one_sentence(small_data: Path, tmp_path: Path, cache: Path) -> None:
    folder, data = tmp_path / "run", small_data / "emotions"
    words = f"train --data {data} --network shallow_cnn --cut photo --crops 1 --epochs 5000 --batch 8 --devices 2"
    command = [sys.executable, "-m", "dogmood", *words.split(), "--out", str(folder), "--cache", str(cache)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        while not (folder / "metrics.csv").exists() and running.poll() is None:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate()
    assert (running.returncode, said) == (
        130,
        f"Stopped: dogmood train --resume {folder} goes on after the last epoch kept.\n",
    )


def test_other_data_under_the_same_name_is_refused(small_data: Path, tmp_path: Path, cache: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    lines: Sequence[str] = (small_data / "emotions" / "manifest.csv").read_text().splitlines()
    (copy / "manifest.csv").write_text("\n".join(lines[:-1]) + "\n")
    run = begin(small_data, tmp_path / "run")
    with pytest.raises(LabError, match="is not the one"):
        train(run, cache, str(copy))


@pytest.mark.parametrize(
    "said",
    ["CUDA out of memory. Tried to allocate 20.00 MiB.", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED", "not enough memory"],
)
def test_a_device_without_memory_is_one_sentence(
    small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    run = begin(small_data, tmp_path / "run")

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError(said)

    monkeypatch.setattr(fit.Trainer, "epoch", full)
    with pytest.raises(LabError, match="no memory left"):
        train(run, cache)


def test_other_faults_of_a_device_are_not_called_so(
    small_data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("an illegal instruction")

    monkeypatch.setattr(fit.Trainer, "epoch", broken)
    with pytest.raises(RuntimeError, match="illegal"):
        train(begin(small_data, tmp_path / "run"), cache)
