from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from dogmood.emotions import EMOTIONS
from dogmood.lab.data.checking import check_photos, write_check
from dogmood.lab.data.manifest import write_rows


@pytest.fixture(scope="module")
def folder(imagenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The halves of twenty photos, red or blue for one of two emotions; the faults are named below."""
    folder = tmp_path_factory.mktemp("check")
    (folder / "photos").mkdir()
    rows = []
    paths = sorted(imagenet.glob("imagenet_*.jpg"))
    for i in range(2 * len(paths)):
        whole = Image.open(paths[i // 2]).convert("RGB").resize((256, 128))
        half = whole.crop((0, 0, 128, 128) if i % 2 else (128, 0, 256, 128))
        colour = Image.new("RGB", half.size, (250, 20, 20) if i % 2 else (20, 20, 250))
        Image.blend(half, colour, 0.6).save(folder / "photos" / f"p{i:02d}.png")
        split = ("train", "train", "valid", "test")[i // 2 % 4]
        rows.append({"photo": f"p{i:02d}.png", "label": EMOTIONS[i % 2], "split": split})
    rows[6]["label"] = EMOTIONS[1]  # wrong
    Image.open(folder / "photos" / "p00.png").save(folder / "photos" / "copy.png")
    rows.append({"photo": "copy.png", "label": EMOTIONS[1], "split": "test"})  # a leak, and a conflict
    (folder / "photos" / "broken.png").write_bytes(b"text")
    rows.append({"photo": "broken.png", "label": EMOTIONS[2], "split": "train"})
    write_rows(folder, rows)
    return folder


def test_every_fault_is_found(folder: Path) -> None:
    found = check_photos(folder)
    leak = ["p00.png (train, anger)", "copy.png (test, fear)"]
    assert leak in found.across
    assert leak in found.conflicts
    assert len(found.unreadable) == 1
    assert "broken.png" in found.unreadable[0]
    assert found.scarce == ["happiness in train"]
    assert found.empty == []
    assert sum(sum(count.values()) for count in found.counts.values()) == 42


def test_a_wrong_label_is_suspected_with_the_right_one(folder: Path) -> None:
    suspects = {s.photo: (s.label, s.likely) for s in check_photos(folder).suspects}
    assert suspects.get("p06.png") == ("fear", "anger")
    assert len(suspects) < 20  # half of all would be no better than chance


def test_what_was_found_is_written_with_a_contact_sheet(folder: Path, tmp_path: Path) -> None:
    found = check_photos(folder)
    write_check(found, folder, tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "check.json").read_text())
    assert facts["counts"] == found.counts
    assert (tmp_path / "out" / "suspects.csv").read_text().startswith("photo,label,likely,trust")
    with Image.open(tmp_path / "out" / "suspects.png") as sheet:
        assert sheet.width >= 180


def test_before_there_are_splits_none_is_empty(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").symlink_to(folder / "photos")
    write_rows(tmp_path, [{"photo": f"p{i:02d}.png", "label": EMOTIONS[i % 2]} for i in range(4)])
    found = check_photos(tmp_path)
    assert found.empty == []
    assert found.across == []
    assert found.suspects == []


def test_photos_in_subfolders_are_called_by_their_rows(folder: Path, tmp_path: Path) -> None:
    rows = []
    for i, part in enumerate(("a", "b") * 20):
        (tmp_path / "photos" / part).mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / part / f"{i // 2}.png").write_bytes((folder / "photos" / f"p{i:02d}.png").read_bytes())
        split = ("train", "train", "valid", "test")[i // 2 % 4]
        rows.append({"photo": f"{part}/{i // 2}.png", "label": EMOTIONS[i % 2], "split": split})
    rows[6]["label"] = EMOTIONS[1]  # wrong
    write_rows(tmp_path, rows)
    found = check_photos(tmp_path)
    assert ("a/3.png", "fear", "anger") in {(s.photo, s.label, s.likely) for s in found.suspects}
    write_check(found, tmp_path, tmp_path / "out")
    assert (tmp_path / "out" / "suspects.png").is_file()


def test_a_file_that_is_not_the_noted_one_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    rows = []
    for name in ("p00.png", "p01.png", "p02.png", "p03.png"):
        data = (folder / "photos" / name).read_bytes()
        (tmp_path / "photos" / name).write_bytes(data)
        rows.append({"photo": name, "label": EMOTIONS[0], "sha256": hashlib.sha256(data).hexdigest()[:16]})
    rows[2]["sha256"] = hashlib.sha256((folder / "photos" / "p02.png").read_bytes()).hexdigest().upper()
    del rows[3]["sha256"]  # never noted
    write_rows(tmp_path, rows)
    assert check_photos(tmp_path).replaced == []
    for name in ("p01.png", "p03.png"):
        (tmp_path / "photos" / name).write_bytes((folder / "photos" / "p05.png").read_bytes())
    found = check_photos(tmp_path)
    (sentence,) = found.replaced
    assert "p01.png is another file than the manifest notes" in sentence
    write_check(found, tmp_path, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "check.json").read_text())["replaced"] == [sentence]
