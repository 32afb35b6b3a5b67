from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from dogmood.lab.data.near import Looks, joined, look_at, near_pairs


@pytest.fixture
def photos(imagenet: Path, tmp_path: Path) -> list[Path]:
    """Two photos, and the first one again: mirrored, small, darker and cut; the last file is no photo."""
    first = Image.open(imagenet / "imagenet_00_243.jpg").convert("RGB")
    second = Image.open(imagenet / "imagenet_16_251.jpg").convert("RGB")
    versions = {
        "0": first,
        "1": second,
        "2-mirrored": first.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "3-small": first.resize((100, 100)),
        "4-darker": ImageEnhance.Brightness(first).enhance(0.7),
        "5-cut": first.crop((20, 20, first.width - 20, first.height - 20)),
    }
    for name, image in versions.items():
        image.save(tmp_path / f"{name}.png")
    (tmp_path / "6.png").write_bytes(b"none")
    return sorted(tmp_path.glob("*.png"))


def test_versions_of_a_photo_are_near_and_others_are_not(photos: list[Path]) -> None:
    looks = look_at(photos)
    assert looks.readable.tolist() == [True] * 6 + [False]
    parts = joined(7, near_pairs(looks))
    assert len({parts[i] for i in (0, 2, 3, 4, 5)}) == 1
    assert len({parts[i] for i in (0, 1, 6)}) == 3


def test_hashes_alone_find_mirrored_and_small_copies(photos: list[Path]) -> None:
    looks = look_at(photos, embed=False)
    assert looks.embeddings is None
    pairs = near_pairs(looks)
    assert {(0, 2), (0, 3), (0, 4)} <= set(pairs)
    assert not any(1 in pair for pair in pairs)


@pytest.mark.parametrize(
    ("cosine", "bits", "near"), [(0.3, 6, False), (0.8, 6, True), (0.8, 20, False), (0.95, 20, True)]
)
def test_hashes_that_agree_by_chance_are_denied_by_embeddings(cosine: float, bits: int, near: bool) -> None:
    mirrored = 2**64 - 2**32  # far from both
    hashes = np.array([[0, mirrored], [2**bits - 1, mirrored]], np.uint64)
    embeddings = np.zeros((2, 2, 1280), np.float32)
    embeddings[0, :, 0] = 1
    embeddings[1, 0, :2] = cosine, (1 - cosine**2) ** 0.5
    embeddings[1, 1, 2] = 1
    assert near_pairs(Looks(np.ones(2, bool), hashes, embeddings)) == ([(0, 1)] if near else [])


def test_files_that_cannot_be_read_are_near_to_nothing(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(b"none")
    assert near_pairs(look_at(paths)) == []


def test_what_is_near_to_the_same_belongs_together() -> None:
    assert joined(5, [(0, 1), (1, 4)]).tolist() == [0, 0, 1, 2, 0]
    assert joined(3, []).tolist() == [0, 1, 2]
    assert np.array_equal(joined(0, []), [])
