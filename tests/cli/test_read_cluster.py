"""`dogmood read --cluster`: wrong words, told before Ray is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dogmood.cli import main
from pictures import corners, encoded


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(encoded(corners(), "PNG"))
    return folder


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--explain"], "--explain cannot be had with --cluster"),
        (["--json"], "--json cannot be had with --cluster"),
        (["--annotate", "--timeline"], "--annotate, --timeline cannot be had with --cluster"),
        ([], "--cluster writes a folder of Parquet files: name it with --out."),
        (["--out", "a.csv"], "a.csv"),
        (["--out", "postgres://me@here/dogs"], "not a database"),
        (["--out", "sqlite+pysqlite:///dogs.db"], "not a database"),
    ],
)
def test_what_a_cluster_does_not_do_is_said(
    photos: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["read", str(photos), "--cluster", "local", *words])
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err


def test_an_address_without_a_cluster_is_told(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray", reason="the cluster extra is not installed")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # not listening
        where = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(SystemExit) as left:
            main(["read", str(photos), "--cluster", where, "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    assert capsys.readouterr().err == f"The cluster at {where} cannot be reached: Connection refused.\n"


def test_names_never_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "e\x1b[31mvil"
    empty.mkdir()
    with pytest.raises(SystemExit) as left:
        main(["read", str(empty), "--cluster", "local", "--out", str(tmp_path / "out")])
    assert left.value.code == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path}/e?[31mvil holds no photos")
