from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dogmood import DogMood
from dogmood.bundle import open_bundle
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.lab import LabError, export_run
from dogmood.lab.export_run import ReadingNet
from dogmood.lab.fit import train
from dogmood.lab.nets.registry import build
from dogmood.lab.run import Run
from dogmood.lab.settings import settings_of

FOUR = ("anger", "fear", "happiness", "sadness")


def trained(data: Path, folder: Path, **given: Any) -> tuple[Run, Path]:
    small = {"network": "shallow_cnn", "cut": "photo", "epochs": 1, "batch": 8, "crops": 1}
    run = Run.create(folder, settings_of({"data": str(data / "emotions"), **small, **given}))
    train(run, folder.parent / "cache")
    return run, folder.parent / "cache"


def test_a_run_becomes_a_model_that_reads_photos(small_data: Path, tmp_path: Path, bull_mastiff: Path) -> None:
    run, cache = trained(small_data, tmp_path / "run")
    exported = export_run.export_run(run, tmp_path / "mine.dogmood", cache)
    assert exported.difference < 1e-4
    assert exported.photos == 40  # all there are
    reading = DogMood(exported.path).read(bull_mastiff, explain=True)
    assert reading.model.name == "mine"
    (dog, *_) = reading.dogs
    assert tuple(dog.probabilities) == EMOTIONS
    assert sum(dog.probabilities.values()) == pytest.approx(1)
    assert dog.saliency is not None
    card = open_bundle(exported.path).card
    assert card["made"]["run"] == {**run.settings.to_dict(), "emotions": list(EMOTIONS)}
    assert card["made"]["data"] == {"manifest.csv": run.data_sha256}


def test_a_model_of_four_emotions_says_nothing_of_the_fifth(
    small_data: Path, tmp_path: Path, bull_mastiff: Path
) -> None:
    run, cache = trained(small_data, tmp_path / "run", emotions=",".join(FOUR))
    path = export_run.export_run(run, tmp_path / "four.dogmood", cache).path
    assert tuple(DogMood(path).read(bull_mastiff).dogs[0].probabilities) == FOUR
    assert tuple(DogMood(path, "fear,anger").read(bull_mastiff).dogs[0].probabilities) == ("anger", "fear")
    with pytest.raises(UsageError, match="tells apart anger, fear, happiness, sadness only"):
        DogMood(path, "relaxed,anger")


def test_nothing_is_written_where_torch_and_the_file_differ(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cache = trained(small_data, tmp_path / "run")
    monkeypatch.setattr(export_run, "PARITY", 0.0)
    with pytest.raises(LabError, match="differs from torch"):
        export_run.export_run(run, tmp_path / "mine.dogmood", cache)
    assert not (tmp_path / "mine.dogmood").exists()


def test_grey_networks_see_the_grey_that_pillow_makes() -> None:
    net = ReadingNet(build("shallow_cnn", 5), grey=True, emotions=EMOTIONS).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    grey = torch.from_numpy(np.asarray(Image.fromarray(pixels).convert("L")).copy())[None, None].float() / 255
    colour = torch.from_numpy(pixels).permute(2, 0, 1)[None, None].float() / 255
    with torch.inference_mode():
        assert torch.allclose(net(colour).logits, net.net(grey), atol=0.01)


def test_four_outputs_go_to_their_places() -> None:
    net = ReadingNet(build("shallow_cnn", 2), grey=True, emotions=("fear", "sadness")).eval()
    with torch.inference_mode():
        answer = net(torch.rand(3, 1, 3, 40, 40))
    assert answer.logits.shape == (3, 5)
    assert (answer.logits[:, [0, 2, 4]] < -1000).all()
    assert (answer.logits[:, [1, 3]] > -1000).all()
    assert not answer.maps[:, :, [0, 2, 4]].any()
