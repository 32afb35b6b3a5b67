from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dogmood.emotions import EMOTIONS
from dogmood.lab import LabError
from dogmood.lab.data.importing import import_photos
from dogmood.lab.data.manifest import read_manifest


def picture(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((20, 24, 3), (shade, 20, 30), np.uint8)).save(path)
    return path


def table(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows])
    return path


def fer(path: Path, rows: list[tuple[str, str]]) -> Path:
    pixels = " ".join(str(i % 256) for i in range(48 * 48))
    return table(path, ["emotion", "pixels", "Usage"], [[emotion, pixels, usage] for emotion, usage in rows])


def test_a_folder_per_class(tmp_path: Path) -> None:
    for i, name in enumerate(("Angry", "happy", "calm")):
        picture(tmp_path / "in" / name / f"{i}.png", i)
    done = import_photos(tmp_path / "in", tmp_path / "out", {})
    photos = read_manifest(tmp_path / "out")
    assert sorted(photo.label for photo in photos) == ["anger", "happiness", "relaxed"]
    assert done.counts == {"anger": 1, "happiness": 1, "relaxed": 1}
    assert all(photo.path.is_file() and photo.split == "" for photo in photos)


def test_files_are_copied_byte_for_byte(tmp_path: Path) -> None:
    source = picture(tmp_path / "in" / "fear" / "ä b.png")
    import_photos(tmp_path / "in", tmp_path / "out", {})
    (photo,) = read_manifest(tmp_path / "out")
    assert photo.path.read_bytes() == source.read_bytes()
    assert photo.path.name.isascii()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_paths_and_labels(tmp_path: Path, kind: str) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "sub" / "b.png")
    rows = [["a.png", "sad", "rex", "train"], ["sub/b.png", "scared", "ada", "test"]]
    header = ["path", "label", "dog", "split"]
    path = tmp_path / f"labels.{kind}"
    if kind == "csv":
        table(path, header, rows)
    else:
        columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        pyarrow.parquet.write_table(pyarrow.table({k: list(v) for k, v in columns.items()}), path)
    import_photos(path, tmp_path / "out", {})
    photos = read_manifest(tmp_path / "out")
    assert [(p.label, p.dog, p.split) for p in photos] == [("sadness", "rex", "train"), ("fear", "ada", "test")]


def test_fer2013_keeps_its_three_splits(tmp_path: Path) -> None:
    path = fer(tmp_path / "fer.csv", [("0", "Training"), ("2", "PublicTest"), ("3", "PrivateTest"), ("1", "Training")])
    done = import_photos(path, tmp_path / "out", {})
    photos = read_manifest(tmp_path / "out")
    assert [(p.label, p.split) for p in photos] == [("anger", "train"), ("fear", "valid"), ("happiness", "test")]
    assert all(photo.grey for photo in photos)
    assert done.dropped == {"disgust": 1}
    values = np.asarray(Image.open(photos[0].path))
    assert values.shape == (48, 48)
    assert values.flatten()[:300].tolist() == [i % 256 for i in range(300)]


def test_our_own_folder_comes_through_unchanged(small_data: Path, tmp_path: Path) -> None:
    import_photos(small_data / "emotions", tmp_path / "out", {})
    before, after = read_manifest(small_data / "emotions"), read_manifest(tmp_path / "out")
    assert [(p.label, p.split, p.group, p.soft, p.tier) for p in after] == [
        (p.label, p.split, p.group, p.soft, p.tier) for p in before
    ]


def test_unknown_words_are_all_named_at_once(tmp_path: Path) -> None:
    for name in ("happy", "bored", "curious"):
        picture(tmp_path / "in" / name / "1.png")
    with pytest.raises(LabError, match=r"'bored', 'curious'.*--map"):
        import_photos(tmp_path / "in", tmp_path / "out", {})
    done = import_photos(tmp_path / "in", tmp_path / "out", {"Bored": "sad"}, ["curious"])
    assert done.counts == {"happiness": 1, "sadness": 1}
    assert done.dropped == {"curious": 1}


def test_a_bad_photo_is_left_out_and_named(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "happy" / "good.png")
    (tmp_path / "in" / "happy" / "bad.jpg").write_bytes(b"text")
    done = import_photos(tmp_path / "in", tmp_path / "out", {})
    assert len(read_manifest(tmp_path / "out")) == 1
    assert "bad.jpg" in done.unreadable[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no rows"),
        ("path,mood\na.png,sad\n", "lacks the column label"),
        ("\x00\xff", "lacks the column|no rows|cannot be read"),
        ("path,label\nabsent.png,sad\n", "No photo"),
        ("emotion,pixels,Usage\n0,1 2 3,Training\n", "Row 1"),
        ("emotion,pixels,Usage\n0,999 1 1 1,Training\n", "Row 1"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "in.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(LabError, match=words):
        import_photos(tmp_path / "in.csv", tmp_path / "out", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "happy" / "1.png")
    picture(tmp_path / "out" / "mine.png")
    with pytest.raises(LabError, match="in use"):
        import_photos(tmp_path / "in", tmp_path / "out", {})
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.png"]


@given(st.text(max_size=200))
def test_any_text_is_imported_or_refused_by_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "in.csv").write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with pytest.raises(LabError):
        import_photos(folder / "in.csv", folder / "out", {})
    assert not (folder / "out").exists()


def test_a_large_photo_is_noted_in_its_own_size(tmp_path: Path) -> None:
    (tmp_path / "in" / "anger").mkdir(parents=True)
    Image.new("RGB", (6000, 4500)).save(tmp_path / "in" / "anger" / "large.jpg")
    import_photos(tmp_path / "in", tmp_path / "out", {})
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["width"], row["height"]) == ("6000", "4500")


@pytest.mark.parametrize(
    ("word", "split"),
    [("val", "valid"), ("Validation", "valid"), ("dev", "valid"), ("training", "train"), (" testing ", "test")],
)
def test_other_names_of_the_splits_are_understood(tmp_path: Path, word: str, split: str) -> None:
    picture(tmp_path / "a.png")
    path = table(tmp_path / "in.csv", ["path", "label", "split"], [["a.png", "sad", word]])
    assert import_photos(path, tmp_path / "out", {}).split
    assert [photo.split for photo in read_manifest(tmp_path / "out")] == [split]


def test_whether_splits_came_along_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "happy" / "1.png")
    assert not import_photos(tmp_path / "in", tmp_path / "out", {}).split


@pytest.mark.parametrize(
    ("columns", "cells", "words"),
    [
        (["split"], ["eval"], "'a.png' into the split 'eval'.*train, training, valid, val"),
        (["anger", "fear", "happiness", "sadness"], ["0", "0", "0", "1"], "soft label of 'a.png' is no five numbers"),
        ([*EMOTIONS], ["0", "0", "0", "1", "much"], "soft label of 'a.png' is no five numbers"),
        ([*EMOTIONS], ["", "0", "0", "1", "0"], "soft label of 'a.png' is no five numbers"),
        ([*EMOTIONS], ["nan", "0", "0", "1", "0"], "soft label of 'a.png' is no five numbers"),
    ],
)
def test_what_could_not_be_read_again_is_refused(
    tmp_path: Path, columns: list[str], cells: list[str], words: str
) -> None:
    picture(tmp_path / "a.png")
    path = table(tmp_path / "in.csv", ["path", "label", *columns], [["a.png", "sad", *cells]])
    with pytest.raises(LabError, match=words):
        import_photos(path, tmp_path / "out", {})
    assert not (tmp_path / "out").exists()


def test_fer2013_in_another_order_and_with_blanks(tmp_path: Path) -> None:
    pixels = " ".join(str(i % 256) for i in range(48 * 48))
    (tmp_path / "fer.csv").write_text(f"emotion, Usage, pixels\n0, Training, {pixels}\n3, PrivateTest, {pixels}\n")
    import_photos(tmp_path / "fer.csv", tmp_path / "out", {})
    photos = read_manifest(tmp_path / "out")
    assert [(photo.label, photo.split) for photo in photos] == [("anger", "train"), ("happiness", "test")]


def test_a_fer2013_row_without_pixels_is_left_out_and_named(tmp_path: Path) -> None:
    path = fer(tmp_path / "fer.csv", [("0", "Training")])
    with path.open("a") as file:
        file.write("3,,Training\n")
    done = import_photos(path, tmp_path / "out", {})
    assert done.counts == {"anger": 1}
    assert len(done.unreadable) == 1
    assert "Row 2" in done.unreadable[0]


@pytest.mark.parametrize("digit", ["²", "7", "9" * 5000, ""])
def test_a_fer2013_emotion_that_is_none_is_one_sentence(tmp_path: Path, digit: str) -> None:
    path = fer(tmp_path / "fer.csv", [("0", "Training"), (digit, "Training")])
    with pytest.raises(LabError, match="known here as no emotion"):
        import_photos(path, tmp_path / "out", {})


def test_whole_paths_do_when_the_table_is_named_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[str(picture(tmp_path / "in" / "a.png")), "sad"]]
    table(tmp_path / "in" / "in.csv", ["path", "label"], rows)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert import_photos(Path("../in/in.csv"), tmp_path / "out", {}).counts == {"sadness": 1}


def test_words_that_the_source_does_not_use_are_named(tmp_path: Path) -> None:
    for name in ("Calm", "happy"):
        picture(tmp_path / "in" / name / "1.png")
    with pytest.raises(LabError, match=r"'relaxed', which --drop names.*'calm', 'happy'"):
        import_photos(tmp_path / "in", tmp_path / "out", {}, ["relaxed"])
    with pytest.raises(LabError, match=r"'joy', which --map names.*'calm', 'happy'"):
        import_photos(tmp_path / "in", tmp_path / "out", {"joy": "happiness"})
    assert import_photos(tmp_path / "in", tmp_path / "out", {}, ["calm"]).dropped == {"Calm": 1}
