from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.cli import main
from dogmood.lab.data.manifest import read_manifest


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per class: twelve pictures of each of two emotions, none like another."""
    folder = tmp_path_factory.mktemp("classes")
    random = np.random.default_rng(0)
    for name in ("angry", "joy"):
        (folder / name).mkdir()
        for i in range(12):
            coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(folder / name / f"{i}.png")
    return folder


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert len(message.strip().splitlines()) == 1
    return message


def test_from_a_folder_of_photos_to_a_model_that_reads(
    classes: Path, tmp_path: Path, bull_mastiff: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run, cache = tmp_path / "data", tmp_path / "run", ["--cache", str(tmp_path / "cache")]

    def done(*words: object) -> str:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        assert left.value.code == 0
        return capsys.readouterr().out

    assert "24 photos" in done("data", "import", classes, data)
    done("data", "split", data, "--no-embedding")
    assert {photo.split for photo in read_manifest(data)} == {"train", "valid", "test"}
    assert "likely mislabels" in done("data", "check", data)
    assert (tmp_path / "data-check" / "check.json").exists()

    small = ["--network", "shallow_cnn", "--cut", "photo", "--epochs", 1, "--batch", 8, "--crops", 1]
    done("train", "--data", data, "--out", run, "--emotions", "anger,happiness", *small, *cache)
    tested = done("test", run, *cache)
    assert all(split in tested for split in ("test photos", "accuracy, validation", "accuracy, training"))
    assert done("report", run, *cache).startswith(str(run / "report.html"))
    assert "differs from torch by at most" in done("export", run, *cache)
    assert '"probabilities": {"anger"' in done("read", "--json", "--model", run / "model.dogmood", bull_mastiff)
    done("train", "--from-run", run, "--seed", 1, "--out", tmp_path / "second", *cache)
    again = done("train", "--resume", run, *cache)
    assert "at epoch 1 of 1" in again


def test_a_sweep_prints_its_table(classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "data")
    words = ["sweep", "rate=0.01,0.02", "--data", data, "--out", str(tmp_path / "sweep"), "--seeds", "1"]
    for setting in ("emotions=anger+happiness", "network=shallow_cnn", "cut=photo", "epochs=1", "batch=8", "crops=1"):
        words += ["--set", setting]
    words += ["--cache", str(tmp_path / "cache")]
    for command in (["data", "import", str(classes), data], ["data", "split", data, "--no-embedding"], words):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "ten-crop test" in shown
    assert "0.02" in shown

    words[words.index("--out") + 1] = str(tmp_path / "diverging")
    with pytest.raises(SystemExit) as left:
        main([words[0], "rate=0.01,1e30", *words[2:]])
    assert left.value.code == 2
    shown, said = capsys.readouterr()
    assert "0 (1 failed)" in shown
    assert said.startswith("1 of 2 runs failed, 1e+30/seed-0 first: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("axis", "setting", "words"),
    [
        ("schedulers", "optimizer=adam", "gives optimizer values of its own"),
        ("optimizers", "scheduler=cosine", "gives scheduler values of its own"),
        ("optimizers", "rate=0.1", "own rate"),
        ("weight-decay=0,0.1", "weight_decay=0", "gives weight_decay values of its own"),
    ],
)
def test_a_setting_that_would_not_hold_is_refused(
    axis: str, setting: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refused(["sweep", axis, "--data", str(tmp_path), "--set", setting], capsys)


def test_wrong_use_is_one_sentence(classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert "--data" in refused(["train"], capsys)
    assert "no network 'resnet'" in refused(["train", "--data", out, "--network", "resnet"], capsys)
    assert "manifest.csv" in refused(["train", "--data", str(classes), "--out", out], capsys)
    assert "no folder of a run" in refused(["test", out], capsys)
    assert "no folder of a run" in refused(["train", "--resume", out], capsys)
    assert "goes on as it began" in refused(["train", "--resume", out, "--seed", "3"], capsys)
    assert "does not exist" in refused(["data", "import", out, out], capsys)
    assert "maps nothing" in refused(["data", "import", str(classes), out, "--map", "joy"], capsys)
    assert "--seed is -1" in refused(["train", "--data", out, "--seed", "-1"], capsys)
    twice = ["--set", "epochs=1", "--set", "epochs=2"]
    assert "epochs twice" in refused(["sweep", "schedulers", "--data", out, *twice], capsys)
    assert "sets nothing" in refused(["sweep", "schedulers", "--data", out, "--set", "epochs"], capsys)


def test_without_torch_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("dogmood.lab.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install 'dogmood[lab]'" in refused(["export", str(tmp_path)], capsys)


def test_the_program_starts_without_the_lab() -> None:
    import subprocess

    code = (
        "import sys, dogmood.cli; print([m for m in sys.modules if m.split('.')[0] in ('torch', 'pandas', 'sklearn')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sweep", "SETTING=VALUE,VALUE"),
        ("read", "folders of both"),
        ("report", "a tested run's"),
        ("train", "(default)"),
    ],
)
def test_help_says_what_arguments_are_and_what_is_taken_unless_said(
    command: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert words in " ".join(re.sub(r"[│\s]+", " ", capsys.readouterr().out).split())
