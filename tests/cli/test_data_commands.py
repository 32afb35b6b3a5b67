from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.cli import main
from dogmood.lab.data.manifest import read_manifest


def fer(path: Path, each: dict[str, int]) -> Path:
    """A table like FER2013's of noise, angry and happy by turns, with so many rows of each split."""
    random = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for usage, count in each.items():
            for i in range(count):
                coarse = Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8))
                pixels = np.asarray(coarse.resize((48, 48), Image.Resampling.BICUBIC)).flatten().tolist()
                writer.writerow([(0, 3)[i % 2], " ".join(map(str, pixels)), usage])
    return path


def folder_per_class(folder: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("angry", "calm"):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    printed = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, printed.out, printed.err


def done(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    code, out, err = run(capsys, *words)
    assert code == 0, err
    return out


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    code, _, err = run(capsys, *words)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    return err


def test_photos_with_splits_are_not_sent_to_be_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = fer(tmp_path / "fer.csv", {"Training": 2, "PublicTest": 2, "PrivateTest": 2})
    assert done(capsys, "data", "import", table, tmp_path / "out").endswith(
        f"next: dogmood data check {tmp_path / 'out'}\n"
    )
    folders = folder_per_class(tmp_path / "in")
    assert done(capsys, "data", "import", folders, tmp_path / "new").endswith(
        f"next: dogmood data split {tmp_path / 'new'}\n"
    )


def test_photos_with_splits_and_no_groups_are_tested_with_intervals_that_have_width(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = fer(tmp_path / "fer.csv", {"Training": 12, "PublicTest": 6, "PrivateTest": 12})
    done(capsys, "data", "import", table, tmp_path / "data")
    assert {photo.group for photo in read_manifest(tmp_path / "data")} == {""}
    small = ["--network", "shallow_cnn", "--cut", "photo", "--epochs", 1, "--batch", 8, "--crops", 1]
    cache, out = ["--cache", tmp_path / "cache"], tmp_path / "run"
    chosen = ["--emotions", "anger,happiness", "--data", tmp_path / "data", "--out", out]
    done(capsys, "train", *chosen, *small, *cache)
    figures = json.loads(done(capsys, "test", out, "--json", *cache))
    low, high = figures["accuracy"]["interval"]
    assert low < figures["accuracy"]["value"] < high


def test_the_folder_that_one_stands_in_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done(capsys, "data", "import", folder_per_class(tmp_path / "in"), tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    done(capsys, "data", "check", ".")
    assert (tmp_path / "data-check" / "check.json").is_file()
    monkeypatch.chdir(tmp_path / "data" / "photos")
    (tmp_path / "data-check" / "check.json").unlink()
    done(capsys, "data", "check", "..")
    assert (tmp_path / "data-check" / "check.json").is_file()


def test_replaced_photos_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done(capsys, "data", "import", folder_per_class(tmp_path / "in"), tmp_path / "data")
    assert "another file than noted: none" in done(capsys, "data", "check", tmp_path / "data")
    first, second, *_ = read_manifest(tmp_path / "data")
    first.path.write_bytes(second.path.read_bytes())
    printed = done(capsys, "data", "check", tmp_path / "data")
    assert f"another file than noted: 1\n  {first.name} is another file" in printed


def test_wrong_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders, out = folder_per_class(tmp_path / "in"), tmp_path / "out"
    assert "'relaxed', which --drop names" in refused(capsys, "data", "import", folders, out, "--drop", "relaxed")
    assert "'joy', which --map names" in refused(capsys, "data", "import", folders, out, "--map", "joy=happiness")
    done(capsys, "data", "import", folders, out)
    assert "--seed -1 is below 0" in refused(capsys, "data", "split", out, "--seed", "-1", "--no-embedding")
