from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dogmood.atomic import atomic_write
from dogmood.errors import UsageError


def test_the_file_appears_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with atomic_write(path, text=True) as file:
        file.write("ü")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "ü"
    assert list(tmp_path.iterdir()) == [path]


def test_after_a_failure_the_old_file_stands_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_write(tmp_path / "out"):
            raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"), atomic_write(tmp_path / "no/out"):
        pass


def test_the_file_may_be_read_by_whom_any_new_file_may(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "ours") as file:
        file.write(b"x")
    (tmp_path / "plain").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_file_that_is_written_anew_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "private"
    path.touch(0o600)
    with atomic_write(path) as file:
        file.write(b"x")
    assert path.stat().st_mode & 0o777 == 0o600


def test_writers_side_by_side_leave_the_umask_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.umask

    def slow(mask: int) -> int:  # the other thread gets its turn in between
        before = real(mask)
        time.sleep(0.001)
        return before

    def write(name: int) -> int:
        with atomic_write(tmp_path / str(name)) as file:
            file.write(b"x")
        return (tmp_path / str(name)).stat().st_mode & 0o777

    before = real(0o027)
    try:
        monkeypatch.setattr(os, "umask", slow)
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(write, range(40))) == {0o640}
        assert real(0o027) == 0o027
    finally:
        real(before)
