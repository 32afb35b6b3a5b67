"""Every command of these people's sections in docs/HOWTO.md runs, in the order in which it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.test_read import run
from clips import make_clip, moving_dogs, steady

ROOT = Path(__file__).parents[1]

# What makes runs small; what is given last counts.
SMALL_RUN = ["--network", "shallow_cnn", "--cut", "photo", "--epochs", "1", "--batch", "8", "--crops", "1"]
SETTINGS = ("emotions=anger+happiness", "network=shallow_cnn", "cut=photo", "epochs=1", "batch=8", "crops=1")
SMALL = {
    "train --data": [*SMALL_RUN, "--emotions", "anger,happiness"],
    "sweep": [word for setting in SETTINGS for word in ("--set", setting)],
    # To a network every picture of noise is near every other.
    "data split": ["--no-embedding"],
}
MADE = {
    "A dog owner, in a terminal": ["dogmood-pictures/rex.jpg.png", "dogmood-pictures/rex.mp4.webm"],
    "A shelter, a daycare, a vet": ["readings.html", "week.html", "drawn/yard.mp4.webm"],
    "A researcher": ["runs/vggnet/report.html", "runs/vggnet/model.dogmood", "sweeps/rate/report.html", "four.jsonl"],
}


def commands_of(person: str) -> list[str]:
    text = (ROOT / "docs/HOWTO.md").read_text("utf-8")
    (section,) = re.findall(rf"^## {person}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


@pytest.fixture
def place(imagenet: Path, bull_mastiff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all that the commands name."""
    dalmatian = imagenet / "imagenet_16_251.jpg"
    for folder in ("footage/may", "photos/angry", "photos/joy"):
        (tmp_path / folder).mkdir(parents=True)
    for name, source in (("rex.jpg", bull_mastiff), ("bella.jpg", dalmatian), ("footage/may/rex.jpg", bull_mastiff)):
        shutil.copy(source, tmp_path / name)
    (tmp_path / "footage/bad.jpg").write_text("woof")
    clip = make_clip(tmp_path / "rex.mp4", steady(1, 10), moving_dogs([bull_mastiff]))
    shutil.copy(clip, tmp_path / "footage/yard.mp4")
    random = np.random.default_rng(0)
    for name in ("angry", "joy"):
        for i in range(12):
            coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(tmp_path / "photos" / name / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("person", MADE)
def test_every_command_runs(capsys: pytest.CaptureFixture[str], person: str, place: Path) -> None:
    commands = commands_of(person)
    assert commands
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "dogmood"
        more = next((more for start, more in SMALL.items() if command.startswith(f"dogmood {start}")), [])
        code, _, err = run(capsys, *words, *more)
        assert code == 0, f"{command}: {err}"
    for path in MADE[person]:
        assert (place / path).is_file()
