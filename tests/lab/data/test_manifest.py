from __future__ import annotations

from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab.data.manifest import checksum, read_boxes, read_manifest


def test_rows_become_photos_with_soft_labels(small_data: Path) -> None:
    photos = read_manifest(small_data / "emotions")
    assert len(photos) == 42
    assert photos[0].label == "anger"
    assert photos[0].soft == (0.8, 0.05, 0.05, 0.05, 0.05)
    assert photos[0].path.is_file()


def test_without_soft_labels_the_label_counts_whole(tmp_path: Path) -> None:
    header = "photo,split,label,tier,group,anger,fear,happiness,sadness,relaxed,source,grey,sha256"
    (tmp_path / "manifest.csv").write_text(f"{header}\na.jpg,train,sadness,web,g,,,,,,pool,1,0\n")
    (photo,) = read_manifest(tmp_path)
    assert photo.soft == (0, 0, 0, 1, 0)
    assert photo.grey


def test_a_label_outside_the_five_is_named(tmp_path: Path) -> None:
    header = "photo,split,label,tier,group,anger,fear,happiness,sadness,relaxed,source,grey,sha256"
    (tmp_path / "manifest.csv").write_text(f"{header}\na.jpg,train,disgust,web,g,,,,,,pool,0,0\n")
    with pytest.raises(LabError, match="disgust"):
        read_manifest(tmp_path)


def test_boxes_are_gathered_by_photo_and_absent_heads_left_out(tmp_path: Path) -> None:
    rows = ["photo,kind,score,x0,y0,x1,y1,by", "a.jpg,dog,0.9,1,2,3,4,d", "a.jpg,none,,,,,,h", "b.jpg,head,1,0,0,9,9,h"]
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    boxes = read_boxes(tmp_path)
    assert [(b.kind, b.corners) for b in boxes["a.jpg"]] == [("dog", (1, 2, 3, 4))]
    assert boxes["b.jpg"][0].kind == "head"


def test_the_checksum_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("a")
    first = checksum(tmp_path)
    (tmp_path / "manifest.csv").write_text("b")
    assert first != checksum(tmp_path)
    assert len(first) == 64


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"manifest\.csv does not exist"):
        read_manifest(tmp_path)


def test_photos_without_groups_are_resampled_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("photo,label,group\na.jpg,fear,\nb.jpg,fear,\nc.jpg,fear,g\nd.jpg,fear,g\n")
    assert [photo.block for photo in read_manifest(tmp_path)] == ["a.jpg", "b.jpg", "g", "g"]


def test_a_manifest_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("photo,label\na.jpg,fear\n", encoding="utf-8-sig")
    (photo,) = read_manifest(tmp_path)
    assert (photo.name, photo.label) == ("a.jpg", "fear")
