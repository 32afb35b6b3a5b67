from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dogmood.lab.features import FeatureCache, to_batch, weights_digest


class Counting:
    def __init__(self) -> None:
        self.pictures = 0

    def __call__(self, batch: Tensor) -> tuple[Tensor, ...]:
        self.pictures += len(batch)
        return batch.mean(dim=(2, 3)), batch[:, :1]


def picture(i: int) -> np.ndarray:
    return np.full((4 + 4 * (i % 2), 4, 3), i, np.uint8)  # two shapes


def make(folder: Path, model: Counting, count: int = 70, weights: str = "w") -> FeatureCache:
    return FeatureCache(folder, model, weights, [str(i) for i in range(count)], picture)


def test_features_come_back_in_order(tmp_path: Path) -> None:
    cache = make(tmp_path, Counting())
    cache.fill("test")
    rows = list(cache)
    assert len(rows) == len(cache) == 70
    for i, (mean, first) in enumerate(rows):
        assert np.allclose(mean, i / 255, atol=1e-3)
        assert first.shape == (1, *picture(i).shape[:2])


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    model = Counting()
    cache = make(tmp_path, model)
    cache.fill("test")
    sorted(cache.folder.iterdir())[0].unlink()
    cache.fill("test")
    assert model.pictures == 70 + 64
    assert len(list(cache)) == 70


def test_other_weights_or_pictures_get_another_folder(tmp_path: Path) -> None:
    folders = {make(tmp_path, Counting(), count, weights).folder for count in (3, 4) for weights in ("w", "v")}
    assert len(folders) == 4


def test_batches_are_rgb_planes_in_unit_range() -> None:
    batch = to_batch([np.array([[[255, 0, 51]]], np.uint8)])
    assert batch.flatten().tolist() == [1.0, 0.0, np.float32(0.2)]


def test_the_digest_follows_the_weights() -> None:
    net = torch.nn.Linear(2, 2)
    before = weights_digest(net)
    with torch.no_grad():
        net.bias += 1
    assert weights_digest(net) != before
