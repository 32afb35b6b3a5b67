from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.cluster.places import Folder
from dogmood.cluster.shards import Attempt, Shard, Shards
from dogmood.errors import UsageError
from dogmood.outputs import open_output
from dogmood.reading import Reading
from test_reading import MODEL, REX

CAT = Reading("cat.jpg", "no_dog", 60, 40, MODEL)

MADE_WITH = {"model": "base 1.0", "emotions": ["anger", "fear"]}


@pytest.fixture
def out(tmp_path: Path) -> Shards:
    return Shards(Folder(str(tmp_path / "out")))


def names_in(out: Shards) -> set[str]:
    return {path.name for path in Path(out.folder.name).iterdir()}


def test_a_shard_is_what_one_file_of_parquet_would_be(out: Shards, tmp_path: Path) -> None:
    out.begin(MADE_WITH, resume=False)
    out.write(Shard(7, ("rex.jpg", "cat.jpg")), [REX, CAT])
    with open_output(tmp_path / "one.parquet") as write:
        write(REX)
        write(CAT)
    shard = pyarrow.parquet.read_table(tmp_path / "out" / "readings-000007.parquet")
    one = pyarrow.parquet.read_table(tmp_path / "one.parquet")
    assert shard.schema.equals(one.schema, check_metadata=True)
    assert shard.equals(one)


@given(st.lists(st.tuples(st.sets(st.integers(0, 30)), st.integers(1, 7), st.sets(st.integers(0, 30))), max_size=4))
def test_whatever_runs_ask_for_each_photo_stands_in_one_shard(runs: list[tuple[set[int], int, set[int]]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        out = Shards(Folder(place))
        before: list[Shard] = []
        asked: set[str] = set()
        for photos, per_shard, alone in runs:
            sources = [f"{i}.jpg" for i in photos]
            shards = out.plan(sources, per_shard, [f"{i}.jpg" for i in alone])
            assert shards[: len(before)] == before
            assert all(len(shard.sources) <= per_shard for shard in shards[len(before) :])
            asked |= set(sources)
            held = [source for shard in shards for source in shard.sources]
            assert len(held) == len(asked)
            assert set(held) == asked
            assert [shard.number for shard in shards] == list(range(len(shards)))
            before = shards
        assert out.plan([], 1) == before


def test_names_that_are_no_text_are_kept(out: Shards) -> None:
    name = os.fsdecode(b"caf\xe9\n.jpg")
    assert out.plan([name], 5) == out.plan([], 5) == [Shard(0, (name,))]


def test_what_is_there_is_finished_and_the_end_is_said(out: Shards) -> None:
    out.begin(MADE_WITH, resume=False)
    first, second = out.plan(["rex.jpg", "cat.jpg"], 1)
    out.write(first, [REX])
    assert out.finished() == {0}
    out.write(second, [CAT])
    Attempt(out.folder, second)
    (Path(out.folder.name) / ".readings-000001.parquet.abcdefgh.dogmood.part").touch()
    (Path(out.folder.name) / "_plan" / ".000001.jsonl.abcdefgh.dogmood.part").write_text('{"shard": 2, "so')
    assert out.plan([], 1) == [first, second]
    out.finish()
    assert out.folder.names("_plan") == ["000000.jsonl"]
    assert names_in(out) == {"_SUCCESS", "_plan", "_run.json", first.file, second.file}
    out.plan(["new.jpg"], 1)
    assert "_SUCCESS" not in names_in(out)


def test_a_folder_is_gone_on_with_only_when_asked_and_only_by_the_same(out: Shards, tmp_path: Path) -> None:
    run = out.begin(MADE_WITH, resume=True)
    assert out.sees(run)
    with pytest.raises(UsageError, match="add --resume"):
        out.begin(MADE_WITH, resume=False)
    assert out.begin(MADE_WITH, resume=True) == run
    with pytest.raises(UsageError, match="was begun with emotions anger,fear, and this is anger,joy"):
        out.begin({**MADE_WITH, "emotions": ["anger", "joy"]}, resume=True)
    other = Shards(Folder(str(tmp_path / "other")))
    assert not other.sees(run)
    other.begin(MADE_WITH, resume=False)
    assert not other.sees(run)


def test_a_folder_of_something_else_is_refused(out: Shards, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    for resume in (False, True):
        with pytest.raises(UsageError, match="holds something else"):
            out.begin(MADE_WITH, resume)
    (tmp_path / "out" / "thesis.txt").unlink()
    (tmp_path / "out" / "_run.json").write_text("[")
    with pytest.raises(UsageError, match="damaged"):
        out.begin(MADE_WITH, resume=True)


def test_a_photo_at_which_attempts_end_is_found(out: Shards) -> None:
    shard = Shard(3, ("good.jpg", "bad.jpg"))
    attempts = []
    for _ in range(5):
        attempts.append(Attempt(out.folder, shard))
        if attempts[-1].careful and "bad.jpg" not in attempts[-1].blamed:
            attempts[-1].reading("good.jpg")
            attempts[-1].reading("bad.jpg")
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4, 5]
    assert [attempt.careful for attempt in attempts] == [False, False, True, True, True]
    assert [attempt.blamed for attempt in attempts] == [set(), set(), set(), set(), {"bad.jpg"}]
    attempts[-1].end()
    assert Attempt(out.folder, shard).number == 1
    assert all(a.number < b.number for a, b in pairwise(attempts))
