from __future__ import annotations

from pathlib import Path

import pytest

from dogmood.folder import photos_of


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_are_searched_in_order_for_photos_alone(tmp_path: Path) -> None:
    touch(tmp_path / "b.JPG", tmp_path / "a/z.png", tmp_path / "notes.txt", tmp_path / ".hidden.jpg")
    touch(tmp_path / ".git/x.jpg")
    found = photos_of([tmp_path])
    assert [str(p.name) for p in found] == ["b.JPG", "a/z.png"]
    assert all(p.problem is None for p in found)


def test_a_named_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    (found,) = photos_of([tmp_path / "no such thing.txt"])
    assert found.path == tmp_path / "no such thing.txt"
    assert found.problem is None


def test_a_folder_without_photos_is_a_problem_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "text/notes.txt", tmp_path / "full/a.jpg")
    (tmp_path / "empty").mkdir()
    empty, text, full = photos_of([tmp_path / "empty", tmp_path / "text", tmp_path / "full"])
    for nothing in (empty, text):
        assert nothing.problem is not None
        assert "holds no photos" in nothing.problem
    assert full.problem is None


def test_names_that_meet_are_numbered(tmp_path: Path) -> None:
    touch(tmp_path / "a/rex.jpg", tmp_path / "b/rex.jpg", tmp_path / "c/Rex.JPG", tmp_path / "b/rex-2.jpg")
    found = photos_of([tmp_path / "a", tmp_path / "b", tmp_path / "c/Rex.JPG"])
    assert [str(p.name) for p in found] == ["a/rex.jpg", "b/rex-2.jpg", "b/rex.jpg", "Rex.JPG"]
    found = photos_of(
        [tmp_path / "a/rex.jpg", tmp_path / "b/rex.jpg", tmp_path / "c/Rex.JPG", tmp_path / "b/rex-2.jpg"]
    )
    assert [str(p.name) for p in found] == ["rex.jpg", "rex-2.jpg", "Rex-3.JPG", "rex-2-2.jpg"]


def test_a_name_does_not_change_when_more_photos_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "1/cam/a.jpg", tmp_path / "2/cam/a.jpg", tmp_path / "2/cam/b.jpg", tmp_path / "c.jpg")
    monkeypatch.chdir(tmp_path / "2/cam")
    asked = [tmp_path / "1/cam", Path(), tmp_path / "c.jpg"]
    before = {p.path: str(p.name) for p in photos_of(asked)}
    assert list(before.values()) == ["cam/a.jpg", "cam-2/a.jpg", "cam-2/b.jpg", "c.jpg"]
    touch(tmp_path / "1/cam/b.jpg", tmp_path / "1/cam/c.jpg")
    after = {p.path: str(p.name) for p in photos_of(asked)}
    assert after.items() > before.items()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(36, "File name too long")])
def test_a_path_that_cannot_be_asked_for_is_left_to_the_reader(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "stat", refuse)
    (found,) = photos_of([Path("closed/rex.jpg")])
    assert (found.path, found.problem) == (Path("closed/rex.jpg"), None)


def test_drawings_of_readings_are_no_photos(tmp_path: Path) -> None:
    names = ("rex.jpg", "rex.jpg.png", "p/rex.jpg.png", "p/a/rex.jpg.dog2.png", "p/v.mp4.webm", "p/bella.png")
    touch(*(tmp_path / name for name in names))
    found = photos_of([tmp_path], drawings=tmp_path / "p")
    assert [str(item.path.relative_to(tmp_path)) for item in found] == ["rex.jpg", "rex.jpg.png", "p/bella.png"]
    assert len(photos_of([tmp_path])) == len(names)
    # One that is named itself is meant.
    assert photos_of([tmp_path / "p/rex.jpg.png"], tmp_path / "p")[0].problem is None
