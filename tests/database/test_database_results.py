from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from writer import MODEL, all_of

from dogmood.database import database as module
from dogmood.database.database import Database
from dogmood.database.history import all_readings
from dogmood.errors import UsageError
from dogmood.reading import ModelInfo, Reading
from dogmood.results import open_results
from dogmood.stored import rows_in
from test_reading import REX
from test_results import BAD, CAT, FRAMES, NOW, PAIR, again, stop_after, stop_in_a_clip, write

WRITER = [sys.executable, str(Path(__file__).with_name("writer.py"))]


def held(address: str) -> list[dict[str, object]]:
    with closing(Database(address)) as database:
        return list(all_readings(database))


def told(*readings: Reading) -> list[dict[str, object]]:
    return [reading.to_dict() for reading in readings]


def change(address: str, command: str) -> None:
    with closing(Database(address)) as database, database.writing() as connection:
        connection.execute(text(command))


def test_a_run_that_was_stopped_goes_on(address: str) -> None:
    stop_after(address, PAIR, BAD)
    write(address, PAIR, BAD, CAT)
    assert held(address) == told(PAIR, BAD, CAT)
    assert list(rows_in(address)) == [row for reading in (PAIR, BAD, CAT) for row in reading.to_rows()]
    write(address, PAIR, BAD, CAT, REX)
    assert held(address) == told(PAIR, BAD, CAT, REX)


def test_without_resume_nothing_is_added_to_what_is_there(address: str) -> None:
    write(address, PAIR, resume=False)
    with pytest.raises(UsageError, match=r"holds readings already: add --resume .* name another database\.$"):
        write(address, CAT, resume=False)
    assert held(address) == told(PAIR)


def test_a_photo_named_twice_is_there_once(address: str) -> None:
    with open_results(address) as results:
        for reading in (CAT, CAT, PAIR, CAT):
            results.write(reading)
    assert held(address) == told(CAT, PAIR)


def test_what_could_not_be_read_is_tried_again(address: str) -> None:
    write(address, BAD, PAIR, replace(BAD, source="gone.jpg"))
    again(address, BAD, PAIR)
    again(address, NOW, PAIR)
    assert held(address) == told(PAIR, replace(BAD, source="gone.jpg"), NOW)


def test_a_video_that_was_read_in_part_is_not_tried_again(address: str) -> None:
    cut = replace(BAD, source="clip.mp4", time=0.6)
    write(address, CAT)
    with open_results(address, resume=True) as results:
        for reading in (*FRAMES[:3], cut):
            results.write(reading)
    again(address, *FRAMES)
    assert held(address) == told(CAT, *FRAMES[:3], cut)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_video_goes_on_from_its_last_place(address: str, lost: int) -> None:
    stop_in_a_clip(address, lost)
    assert held(address) == told(CAT, *FRAMES[:3])
    with open_results(address, resume=True) as results:
        assert results.has("cat.jpg")
        assert not results.has("clip.mp4")
        assert results.video_state("clip.mp4") == {"next": 3}
        for frame in FRAMES[3:]:
            results.write(frame)
        results.end_video("clip.mp4")
    assert held(address) == told(CAT, *FRAMES)
    with open_results(address, resume=True) as results:
        assert results.has("clip.mp4")
        assert results.video_state("clip.mp4") is None


def test_a_video_that_cannot_be_read_is_done(address: str) -> None:
    bad = replace(BAD, source="bad.mp4")
    with open_results(address) as results:
        results.write(bad)
        results.end_video("bad.mp4")
    with open_results(address, resume=True) as results:
        assert results.has("bad.mp4")


def test_another_model_is_refused(address: str) -> None:
    write(address, REX)
    with open_results(address, resume=True) as results:
        results.check_model(REX.model)
        for other in (ModelInfo("fast", "1.0.0", "0" * 64), replace(REX.model, sha256="1" * 64)):
            with pytest.raises(UsageError, match=r"begun with the model base 1\.2\.0 .* name another database\.$"):
                results.check_model(other)


def test_a_database_of_another_version_is_refused_and_left_as_it_is(address: str) -> None:
    write(address, REX)
    change(address, "UPDATE dogmood SET schema_version = 99")
    for use in (lambda: write(address, CAT), lambda: held(address), lambda: list(rows_in(address))):
        with pytest.raises(UsageError, match=r"of version 99, this one's of version 1\): take that one, or name"):
            use()
    change_back = Database(address)
    change_back._ready = change_back._prepared = True
    with closing(change_back), change_back.writing() as connection:
        connection.execute(text("UPDATE dogmood SET schema_version = 1"))
    assert held(address) == told(REX)


def test_tables_of_something_else_are_left_alone(address: str) -> None:
    with closing(Database(address)) as database, database._engine.begin() as connection:
        connection.execute(text("CREATE TABLE dogs (name TEXT)"))
    for use in (lambda: write(address, CAT), lambda: held(address)):
        with pytest.raises(UsageError, match="has a table dogs of something else; name another database"):
            use()


@pytest.mark.parametrize("change_to", ["dogs SET looked_at = '{'", "readings SET stored = 'woof'"])
def test_values_of_something_else_are_one_sentence(tmp_path: Path, change_to: str) -> None:
    address = f"sqlite:///{tmp_path}/out.db"
    write(address, REX)
    change(address, f"UPDATE {change_to}")
    with pytest.raises(UsageError, match="holds something else than readings"):
        list(rows_in(address))


def test_a_database_without_readings_of_ours_has_none_to_tell(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not exist|holds no readings; make them with `dogmood read"):
        list(rows_in(address))
    assert list(tmp_path.iterdir()) == []


def test_a_failure_before_the_first_reading_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no"), open_results(f"sqlite:///{tmp_path}/out.db"):
        raise UsageError("no")
    assert list(tmp_path.iterdir()) == []


def test_in_the_end_an_sqlite_database_is_one_file(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/out.db"
    write(address, PAIR)
    with closing(Database(address)) as reader:
        with open_results(address, resume=True) as results:
            results.write(CAT)
            with reader.reading():
                pass
        assert len(held(address)) == 2
    write(address, REX)
    assert [path.name for path in tmp_path.iterdir()] == ["out.db"]
    (tmp_path / "out.db").chmod(0o444)
    assert held(address) == told(PAIR, CAT, REX)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("missing/out.db", "No such file or directory"),
        ("notes.txt", "file is not a database"),
        (f"{'x' * 300}.db", r"File name too long|unable to open"),
        ("locked.db", "database is locked; |database is locked"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, place: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    (tmp_path / "notes.txt").write_text("once upon a time " * 100)
    address = f"sqlite:///{tmp_path}/{place}"
    with closing(Database(f"sqlite:///{tmp_path}/locked.db")) as other, other.writing():
        with pytest.raises(UsageError, match=sentence) as refused:
            write(address, REX)
        assert len(str(refused.value).splitlines()) == 1
    assert (tmp_path / "notes.txt").read_text() == "once upon a time " * 100


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/out.db"
    with closing(Database(address)) as other:
        with other.writing() as connection:
            waiting = threading.Thread(target=write, args=(address, CAT))
            waiting.start()
            waiting.join(0.3)
            assert waiting.is_alive()
            connection.execute(text("DELETE FROM videos"))
        waiting.join(30)
    assert held(address) == told(CAT)


def test_a_full_disk_is_one_sentence_and_what_was_written_stays(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/out.db"
    # A file may not grow beyond this many kilobytes.
    limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 200; exec "$@"', "bash", *WRITER]
    done = subprocess.run([*limited, address, "5000", "0"], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "cannot be written: " in last
    assert last.endswith("what it holds is kept, --resume goes on with it.")
    written = done.stdout.splitlines()
    assert written
    assert held(address) == told(*all_of(len(written), 0))
    write(address, CAT)
    assert len(held(address)) == len(written) + 1


def test_killed_at_any_moment_nothing_is_torn_and_nothing_is_twice(address: str) -> None:
    random, told_of = np.random.default_rng(5), set()
    for _ in range(5):
        with subprocess.Popen([*WRITER, address, "60", "40"], stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for _ in range(int(random.integers(1, 40))):
                told_of.add(running.stdout.readline())
            running.kill()
            # What it said before it died is written.
            told_of |= set(running.stdout)
        whole = {json.dumps(reading) for reading in told(*all_of(60, 40))}
        assert {json.dumps(reading) for reading in held(address)} <= whole
    assert len(held(address)) >= len({line for line in told_of if line.endswith("\n")} - {"done\n"}) - 1
    subprocess.run([*WRITER, address, "60", "40"], check=True, capture_output=True)
    assert sorted(map(json.dumps, held(address))) == sorted(map(json.dumps, told(*all_of(60, 40))))


def test_runs_side_by_side_leave_each_reading_once(address: str) -> None:
    running = [subprocess.Popen([*WRITER, address, "80", "30"], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for one in running:
        _, err = one.communicate()
        assert (one.returncode, err) == (0, "")
    assert sorted(map(json.dumps, held(address))) == sorted(map(json.dumps, told(*all_of(80, 30))))
    with open_results(address, resume=True) as results:
        results.check_model(MODEL)
        assert results.has("clip.mp4")
        assert results.video_state("clip.mp4") is None


def test_a_password_is_never_told(postgresql) -> None:
    address = postgresql.new()
    wrong = address.replace("gnawed%20b0nes%2F%40%25", "buried-b0ne")
    write(address, REX)
    for refused in (wrong, f"{wrong}&password=buried-b0ne", wrong.replace("kennel", "nowhere")):
        with pytest.raises(UsageError, match=r"^postgresql://rex@/\w+ cannot be written: .*\.$") as error:
            write(refused, CAT)
        assert "b0ne" not in str(error.value)
        assert len(str(error.value).splitlines()) == 1
        assert error.value.__cause__ is None
    with open_results(address, resume=True) as results:
        assert "b0ne" not in results.name + (results.kept_in() or "") + repr(vars(results))


def test_a_server_that_goes_away_is_one_sentence_and_the_run_goes_on_later(postgresql) -> None:
    address = postgresql.new()
    name = address.rpartition("/")[0] and address.split("@/")[1].split("?")[0]
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    with open_results(address) as results:
        results.write(CAT)
        postgresql.run(end)
        results.write(PAIR)  # a connection that died is replaced
    assert held(address) == told(CAT, PAIR)

    def lose() -> None:
        with closing(Database(address)) as database, database.writing() as connection:
            postgresql.run(end)
            connection.execute(text("SELECT 1"))

    with pytest.raises(UsageError, match=r"cannot be written: .*connection"):
        lose()
    write(address, REX)
    assert held(address) == told(CAT, PAIR, REX)


def test_a_user_who_may_not_make_tables_is_told_before_the_work(postgresql) -> None:
    address = postgresql.new()
    name = address.split("@/")[1].split("?")[0]
    postgresql.run("DROP ROLE IF EXISTS guest")
    postgresql.run("CREATE ROLE guest LOGIN PASSWORD 'b0ne'")
    guest = f"postgresql://guest:b0ne@/{name}?host={postgresql.folder}"
    with pytest.raises(UsageError, match=r"guest@/\w+ cannot be written: permission denied for schema public"):
        open_results(guest).__enter__()
