"""Full disks, folders that are shut or vanish, outputs that nobody takes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dogmood.errors import UsageError
from dogmood.results import open_results
from faults.disks import enlarge, small_disk
from faults.test_kills import ENDINGS, address_of, broken_last, post, rows_in
from faults.warm import READING, Warm
from test_reading import REX
from test_results import CAT, FRAMES


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """A parent whom permissions bind, even where the tests run as root."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        if not shutil.which("setpriv") or subprocess.run([*prefix, "true"], check=False).returncode:
            pytest.skip("root cannot give up its rights here: setpriv is missing or not allowed")
    with Warm(tmp_path_factory.mktemp("ruled"), READING, prefix) as parent:
        yield parent


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("limit", [700, 1500, 4100])
def test_a_disk_that_fills_up_keeps_what_is_written_and_the_run_goes_on(
    warm: Warm, toy: Path, footage: Path, tmp_path: Path, ending: str, limit: int
) -> None:
    out, through = tmp_path / f"out.{ending}", tmp_path / f"through.{ending}"
    words = ["read", "--quiet", "--model", toy, "--fps", "10", footage, "--out"]
    assert warm.run(*words, through).code == 0
    ended = warm.run(*words, out, limit=limit)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert "cannot be written: File too large" in ended.err.splitlines()[-1]
    for file in tmp_path.glob("out.*"):
        if file.suffix in (".jsonl", ".csv"):
            assert not file.stat().st_size or file.read_bytes().endswith(b"\n")
    assert not list(tmp_path.glob(".*"))
    ended = warm.run(*words, out, "--resume")
    assert ended.code == 0, ended.err
    assert broken_last(rows_in(out)) == broken_last(rows_in(through))
    assert {path.name for path in tmp_path.iterdir()} == {out.name, through.name}


def test_a_small_disk_that_is_really_full(warm: Warm, toy: Path, footage: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "16k") as disk:
        words = ["read", "--quiet", "--model", toy, "--fps", "10", footage, "--out", disk / "out.parquet"]
        (disk / "ballast").write_bytes(bytes(8192))
        ended = warm.run(*words)
        assert ended.code == 2
        assert "No space left on device" in ended.err.splitlines()[-1]
        assert not (disk / "out.parquet").exists()
        enlarge(disk, "1m")
        assert warm.run(*words, "--resume").code == 0
        assert len(rows_in(disk / "out.parquet")) == 29


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_output_that_takes_nothing_is_a_sentence(warm: Warm, toy: Path, footage: Path) -> None:
    ended = warm.run("read", "--json", "--model", toy, footage / "0.png", out=Path("/dev/full"))
    assert (ended.code, ended.err) == (2, "The output cannot be written: No space left on device.\n")


def test_an_output_that_nobody_reads_to_its_end_is_no_fault(toy: Path, footage: Path) -> None:
    command = [sys.executable, "-m", "dogmood", "read", "--json", "--fps", "10", "--model", toy, footage]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        json.loads(running.stdout.readline())
        running.stdout.close()
        said = running.stderr.read()
    assert running.returncode in (0, 1)
    assert [line for line in said.splitlines() if "5.jpg is not a picture" not in line] == []


def test_folders_and_files_that_are_shut_are_told(ruled: Warm, toy: Path, footage: Path, tmp_path: Path) -> None:
    tree, shut = tmp_path / "tree", tmp_path / "tree" / "shut"
    shut.mkdir(parents=True)
    for place in (tree / "a.png", tree / "b.png", shut / "c.png"):
        shutil.copy(footage / "1.png", place)
    (tree / "b.png").chmod(0)
    shut.chmod(0)
    read_only = tmp_path / "read-only"
    read_only.mkdir()
    read_only.chmod(0o500)
    words = ["read", "--model", toy]
    try:
        ended = ruled.run(*words, "--json", tree)
        assert ended.code == 0
        assert [json.loads(line)["status"] for line in ended.out.splitlines()] == ["read", "unreadable", "unreadable"]
        assert ended.err.splitlines() == [
            f"{tree / 'b.png'} cannot be opened: Permission denied.",
            f"{shut} cannot be opened: Permission denied.",
        ]
        assert ruled.run(*words, shut).code == 1
        for more in (["--out", read_only / "out.csv"], ["--explain", "--pictures", read_only / "drawn"],
                     ["--explain", "--pictures", read_only]):  # fmt: skip
            ended = ruled.run(*words, *more, "--quiet", tree / "a.png")
            assert ended.code == 2
            assert "Permission denied" in ended.err
            assert len(ended.err.splitlines()) == 1
        assert not list(read_only.iterdir())
    finally:
        shut.chmod(0o700)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_output_folder_that_vanishes_is_told(tmp_path: Path, ending: str) -> None:
    (tmp_path / "gone").mkdir()

    def read() -> None:
        with open_results(tmp_path / "gone" / f"out.{ending}") as results:
            results.write(REX)
            shutil.rmtree(tmp_path / "gone")
            results.write(CAT)

    with pytest.raises(UsageError, match="moved or removed"):
        read()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_terminated_it_ends_in_order_and_goes_on(
    warm: Warm, toy: Path, footage: Path, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"out.{ending}"
    words = ["read", "--json", "--model", toy, "--fps", "10", footage, "--out", out, "--resume"]
    child = warm.start(*words)
    while not child.printed():
        time.sleep(0.001)
    child.kill(signal.SIGTERM)
    ended = child.wait()
    assert ended.code in (143, 0)
    assert "Traceback" not in ended.err
    if ended.code == 143:
        assert "--resume goes on" in ended.err.splitlines()[-1]
    assert not list(tmp_path.glob(".*"))
    assert warm.run(*words).code == 0
    assert len(rows_in(out)) == 29


def test_a_server_is_untouched_by_another_model_in_its_file(
    warm_server: Warm, toy: Path, footage: Path, tmp_path: Path
) -> None:
    model = tmp_path / "mine.dogmood"
    shutil.copy(toy, model)
    child = warm_server.start("serve", "--model", model, "--port", "0", "--no-open")
    address = address_of(child)
    model.write_bytes(b"something else")
    assert post(address, "rex.png", (footage / "2.png").read_bytes()) == 200
    model.unlink()
    assert post(address, "rex.png", (footage / "2.png").read_bytes()) == 200
    child.kill(signal.SIGTERM)
    assert child.wait().code == 0


def test_a_csv_cut_in_its_last_row_is_read_without_it(tmp_path: Path) -> None:
    from dogmood.stored import rows_in as stored_rows

    path = tmp_path / "out.csv"
    with open_results(path) as results:
        for reading in (CAT, FRAMES[0]):
            results.write(reading)
    whole = path.read_bytes()
    for cut in (8, 20, 60):
        path.write_bytes(whole[:-cut])
        assert [row["source"] for row in stored_rows(path)] == ["cat.jpg"]
    path.write_bytes(whole.rstrip(b"\r\n"))  # as an editor may leave it
    assert len(list(stored_rows(path))) == 2
