from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood.lab import LabError, cuts
from dogmood.lab.cuts import CUTS, Cutting, cut_photos
from dogmood.lab.data.manifest import LabelledPhoto, read_manifest


@pytest.fixture
def photos(small_data: Path) -> list[LabelledPhoto]:
    return read_manifest(small_data / "emotions")[:7]


def test_whole_photos_become_equal_squares_in_order(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    grey = cut_photos(photos, Cutting(CUTS["photo"], 96, 1), tmp_path)
    assert grey.shape == (7, 1, 96, 96)
    for photo, picture in zip(photos, grey, strict=True):
        assert np.array_equal(picture[0], np.asarray(Image.open(photo.path).convert("L")))


def test_colour_is_rgb_channels_first(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    colour = cut_photos(photos, Cutting(CUTS["photo"], 96, 3), tmp_path)
    assert np.array_equal(colour[3].transpose(1, 2, 0), np.asarray(Image.open(photos[3].path)))


def test_the_finder_s_dog_is_what_is_cut(photos: list[LabelledPhoto], tmp_path: Path) -> None:
    head = cut_photos(photos, Cutting(CUTS["head"], 48, 1), tmp_path)
    assert head.shape == (7, 1, 48, 48)
    assert not np.array_equal(head, cut_photos(photos, Cutting(CUTS["body"], 48, 1), tmp_path))


def test_a_second_call_reads_the_cache(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = np.array(cut_photos(photos, Cutting(CUTS["photo"], 32, 1), tmp_path))
    monkeypatch.setattr(cuts, "open_labelled", None)
    assert np.array_equal(cut_photos(photos, Cutting(CUTS["photo"], 32, 1), tmp_path), first)


def test_a_stopped_call_goes_on_with_the_missing_pieces(
    photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.array(cut_photos(photos, Cutting(CUTS["photo"], 32, 1), tmp_path / "whole"))
    monkeypatch.setattr(cuts, "_CHUNK", 2)
    opened: list[LabelledPhoto] = []
    real = cuts.open_labelled

    def failing(photo: LabelledPhoto) -> object:
        if photo == photos[5]:
            raise KeyboardInterrupt
        return real(photo)

    monkeypatch.setattr(cuts, "open_labelled", failing)
    with pytest.raises(KeyboardInterrupt):
        cut_photos(photos, Cutting(CUTS["photo"], 32, 1), tmp_path)
    monkeypatch.setattr(cuts, "open_labelled", lambda photo: opened.append(photo) or real(photo))
    assert np.array_equal(cut_photos(photos, Cutting(CUTS["photo"], 32, 1), tmp_path), whole)
    assert len(opened) == len(photos) - 4  # the piece that was broken off, and the rest


def test_an_unreadable_photo_is_named(tmp_path: Path, photos: list[LabelledPhoto]) -> None:
    from dataclasses import replace

    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(LabError, match=r"broken\.jpg.*data check"):
        cut_photos([replace(photos[0], path=broken)], Cutting(CUTS["photo"], 32, 1), tmp_path)
    with pytest.raises(LabError, match="absent"):
        cut_photos([replace(photos[0], path=tmp_path / "absent.jpg")], Cutting(CUTS["photo"], 32, 1), tmp_path)
