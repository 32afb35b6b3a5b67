from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.cluster.places import Folder, Sources, is_storage_address, photos_at, shown
from dogmood.errors import UsageError

NAMES = st.text("abcxyz0189-_. äß", min_size=1).map(lambda name: f"x{name}x")


@given(st.sampled_from(["s3", "gs", "abfs", "hdfs"]), st.lists(NAMES, min_size=1))
def test_an_address_is_shown_as_it_is(scheme: str, parts: list[str]) -> None:
    address = f"{scheme}://{'/'.join(parts)}"
    assert is_storage_address(address)
    assert shown(address) == address


@pytest.mark.parametrize("path", ["rex.jpg", "/photos/rex.jpg", "a:b/rex.jpg", "C:/photos", ".", "photos?/x@y"])
def test_a_path_is_none(path: str) -> None:
    assert not is_storage_address(path)
    assert shown(path) == path


def test_what_is_for_the_connection_is_not_shown() -> None:
    address = "s3://key:secret@bucket/photos/?endpoint_override=localhost:9000&scheme=http"
    assert shown(address) == "s3://bucket/photos"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a/c.PNG", "a/notes.txt", ".hidden/d.jpg", "a/.e.jpg", "z.mp4"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    return tmp_path / "in"


def test_storage_is_searched_as_folders_are(photos: Path) -> None:
    address = photos.as_uri()
    found, problems = photos_at([address])
    assert (sorted(found), problems) == ([f"{address}/{name}" for name in ("a/c.PNG", "b.jpg", "z.mp4")], [])
    here, _ = photos_at([str(photos)])
    assert sorted(here) == sorted(name.replace(address, str(photos)) for name in found)
    assert photos_at([f"{address}/b.jpg"]) == ([f"{address}/b.jpg"], [])


def test_what_is_named_twice_is_taken_once_and_what_is_empty_is_said(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = [str(tmp_path / "empty"), (tmp_path / "empty").as_uri(), (tmp_path / "nowhere").as_uri()]
    found, problems = photos_at([str(photos / "b.jpg"), str(photos), *empty])
    assert sorted(found) == sorted(set(found))
    assert len(found) == 3
    assert [problem.split(" holds no photos")[0] for problem in problems] == empty


def test_photos_are_fetched_by_what_readings_call_them(photos: Path) -> None:
    address = photos.as_uri()
    sources = Sources([f"{address}/", str(photos)])
    assert sources.fetch(f"{address}/a/c.PNG") == b"a/c.PNG"
    with pytest.raises(FileNotFoundError):
        sources.fetch(f"{address}/nowhere.jpg")


@pytest.mark.parametrize(
    ("address", "words"),
    [("nosuch://bucket/photos", "cannot be opened"), ("s3://", "cannot be opened"), ("s3://a b/c d", "cannot be op")],
)
def test_an_address_of_nothing_is_one_sentence(address: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as told:
        photos_at([address])
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("kind", ["path", "file", "memory"])
def test_files_of_a_folder_are_written_whole_and_nothing_else_is_left(kind: str, tmp_path: Path) -> None:
    place = {"path": str(tmp_path / "out"), "file": (tmp_path / "out").as_uri(), "memory": f"memory://{tmp_path}"}
    folder = Folder(place[kind])
    folder.make()
    assert folder.names() == folder.names("inside") == []
    assert folder.read("a.txt") is None
    folder.write("a.txt", b"old")
    folder.write("a.txt", b"new")
    folder.write("inside/b.txt", b"b")
    folder.remove("nothing")
    folder.tidy()
    assert folder.names() == ["a.txt"]
    assert folder.names("inside") == ["b.txt"]
    assert folder.read("a.txt") == b"new"
    folder.remove("a.txt")
    folder.remove_folder("inside")
    assert folder.names() == folder.names("inside") == []


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"):
        Folder(str(tmp_path / "file" / "out")).make()
