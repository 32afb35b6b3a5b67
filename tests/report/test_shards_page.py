"""`dogmood report` on a folder of shards, as a run on a cluster writes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli.test_read import run
from dogmood.cluster.places import Folder
from dogmood.cluster.shards import Shards
from dogmood.results import open_results
from dogmood.stored import rows_in
from report.test_readings_page import dog
from test_reading import REX

READINGS = [
    replace(REX, source=f"{i}.jpg", dogs=(dog(emotion),))
    for i, emotion in enumerate(("anger", "fear", "fear", "happiness", "relaxed"))
]


def written(folder: Path, finish: bool = True) -> Path:
    """Write the readings in three shards, the last one first."""
    shards = Shards(Folder(str(folder)))
    shards.begin({"model": "base"}, resume=False)
    plan = shards.plan([reading.source for reading in READINGS], 2)
    for shard in reversed(plan):
        if finish or shard is not plan[1]:
            shards.write(shard, [reading for reading in READINGS if reading.source in shard.sources])
    if finish:
        shards.finish()
    return folder


def test_the_page_is_that_of_one_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = written(tmp_path / "out.v1")
    with open_results(tmp_path / "one.parquet") as results:
        for reading in READINGS:
            results.write(reading)
    assert list(rows_in(out)) == list(rows_in(tmp_path / "one.parquet"))
    # Beside the folder, where nobody takes it for a shard.
    assert run(capsys, "report", out) == (0, f"{tmp_path / 'out.v1.html'}: open it in a browser\n", "")
    assert run(capsys, "report", tmp_path / "one.parquet")[0] == 0
    one = (tmp_path / "one.html").read_text("utf-8")
    assert (tmp_path / "out.v1.html").read_text("utf-8") == one.replace("one.parquet", "out.v1")


def test_where_it_is_run_and_what_it_is_called_do_not_matter(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written(tmp_path / "out"))
    assert run(capsys, "report", ".")[0] == 0
    assert (tmp_path / "out.html").is_file()
    assert run(capsys, "report", f"{tmp_path}/out/", "--page", tmp_path / "page.html")[0] == 0
    assert (tmp_path / "page.html").read_text("utf-8") == (tmp_path / "out.html").read_text("utf-8")


def test_in_storage_too(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = written(tmp_path / "out").as_uri()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(capsys, "report", address) == (0, "out.html: open it in a browser\n", "")
    assert run(capsys, "report", tmp_path / "out")[0] == 0
    assert Path("out.html").read_text("utf-8") == (tmp_path / "out.html").read_text("utf-8")
    (tmp_path / "nothing").mkdir()
    code, _, err = run(capsys, "report", (tmp_path / "nothing").as_uri())
    assert (code, err.partition(" holds no readings")[1]) == (2, " holds no readings")


def test_what_is_unfinished_or_damaged_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = written(tmp_path / "out", finish=False)
    code, _, err = run(capsys, "report", out)
    assert (code, len(list(rows_in(out)))) == (0, 3)
    assert err == "out is not finished: the page is about what is there; `dogmood read --resume` goes on.\n"
    (out / "readings-000001.parquet").write_bytes(b"woof")
    code, _, err = run(capsys, "report", out)
    assert code == 2
    assert err == f"{out / 'readings-000001.parquet'} is no Parquet file that can be read; name another file.\n"
    for shard in out.glob("*.parquet"):
        shard.unlink()
    assert run(capsys, "report", out)[::2] == (2, f"{out} holds no readings yet.\n")
