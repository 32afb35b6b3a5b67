from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from dogmood.bundle import Network, open_bundle
from dogmood.card import read_settings
from dogmood.finder import Finder
from dogmood.lab.data.manifest import read_manifest
from dogmood.lab.finder_metrics import eager
from dogmood.lab.masks import KnownMasks


def test_a_mask_has_its_photo_s_size_and_is_asked_for_once(
    bull_mastiff: Path, small_data: Path, tmp_path: Path
) -> None:
    bundle = open_bundle("base")
    finder = Finder(Network(bundle.finder), eager(read_settings(bundle.card).finder))
    photo = replace(read_manifest(small_data / "emotions")[0], path=bull_mastiff)
    [mask] = KnownMasks(finder, "a finder", tmp_path).of([photo])
    pixels = np.asarray(Image.open(mask.path))
    assert pixels.shape == Image.open(bull_mastiff).size[::-1]
    assert pixels.dtype == np.uint8
    assert pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] > 200
    assert pixels[:5, :5].max() < 50
    written = mask.path.stat().st_mtime_ns
    [again] = KnownMasks(finder, "a finder", tmp_path).of([photo])
    assert again.path == mask.path
    assert again.path.stat().st_mtime_ns == written
    [other] = KnownMasks(finder, "another finder", tmp_path).of([photo])
    assert other.path != mask.path
