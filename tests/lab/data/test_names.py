"""Names in tables, manifests and indexes never lead out of the folder that they belong to."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab.data.importing import import_photos
from dogmood.lab.data.manifest import read_manifest
from dogmood.lab.data.pets import read_pets
from pictures import corners, encoded

OUTSIDE = ["../secret.png", "/etc/passwd", "a/../../secret.png", "..\\secret.png", "C:\\secret.png", "", "x\0.png"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder, and a picture beside it that no table may name."""
    for path in (tmp_path / "secret.png", tmp_path / "data/secret.png", tmp_path / "data/photos/a.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(corners(), "PNG"))
    return tmp_path / "data"


def table(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest(data: Path, name: str) -> None:
    table(data / "manifest.csv", {"photo": "a.png", "label": "fear"}, {"photo": name, "label": "fear"})
    with pytest.raises(LabError, match=r"names the photo .* which does not lie in"):
        read_manifest(data)
    with pytest.raises(LabError, match=r"names the photo .* which does not lie in"):
        import_photos(data, data.parent / "out", {})
    assert not (data.parent / "out").exists()


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_table_that_is_imported(data: Path, name: str) -> None:
    made = table(data / "labels.csv", {"path": "photos/a.png", "label": "fear"}, {"path": name, "label": "fear"})
    with pytest.raises(LabError, match="move the table to a folder that holds its photos"):
        import_photos(made, data.parent / "out", {})
    assert not (data.parent / "out").exists()


def test_a_whole_path_within_the_table_s_folder_will_do(data: Path) -> None:
    made = table(data / "labels.csv", {"path": str(data / "photos/a.png"), "label": "fear"})
    assert import_photos(made, data.parent / "out", {}).counts == {"fear": 1}


def test_links_within_the_folder_are_followed(data: Path) -> None:
    (data / "photos/link.png").symlink_to(data.parent / "secret.png")
    table(data / "manifest.csv", {"photo": "link.png", "label": "fear"})
    assert import_photos(data, data.parent / "out", {}).counts == {"fear": 1}
    (copied,) = (data.parent / "out/photos").iterdir()
    assert not copied.is_symlink()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "nowhere"])
def test_the_finder_s_index(data: Path, name: str) -> None:
    edges = dict.fromkeys(("head_x0", "head_y0", "head_x1", "head_y1", "nose_x", "nose_y"), "")
    table(data / "index.csv", {"name": name, "animal": "dog", "mask": "1", **edges})
    with pytest.raises(LabError, match="which is no picture in"):
        read_pets(data)
