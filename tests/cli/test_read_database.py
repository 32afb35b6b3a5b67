"""`dogmood read --out`, `report` and `serve` with the address of a database."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cli.test_read import interrupted, photos_in, run
from cli.test_serve import serving
from clips import make_clip, moving_dogs, steady
from dogmood.database.database import Database
from dogmood.database.history import all_readings
from dogmood.reading import Reading
from postgres import PASSWORD, postgresql

__all__ = ["postgresql"]


def held(address: str) -> list[dict[str, object]]:
    with closing(Database(address)) as database:
        return list(all_readings(database))


@pytest.fixture
def footage(bull_mastiff: Path, cottage: Path, tmp_path: Path) -> Path:
    """A folder of two photos, one that cannot be read, and a video."""
    folder = tmp_path / "footage"
    folder.mkdir()
    shutil.copy(bull_mastiff, folder / "rex.jpg")
    shutil.copy(cottage, folder / "hut.jpg")
    (folder / "bad.jpg").write_text("woof")
    make_clip(folder / "yard.mp4", steady(1, 10), moving_dogs([bull_mastiff]))
    return folder


def test_a_database_holds_what_json_says(
    capsys: pytest.CaptureFixture[str], footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "read", "--json", "--out", "sqlite:///readings.db", "footage")
    assert code == 0
    printed = [json.loads(line) for line in out.splitlines()]
    assert [reading["status"] for reading in printed][:3] == ["unreadable", "no_dog", "read"]
    assert len(printed) == 3 + 5
    assert held("sqlite:///readings.db") == printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["footage", "readings.db"]

    code, out, err = run(capsys, "read", "--out", "sqlite:///readings.db", "footage")
    assert (code, out) == (2, "")
    assert err.startswith("sqlite:///readings.db holds readings already: add --resume")
    shutil.copy("footage/hut.jpg", "footage/new.jpg")
    code, out, _ = run(capsys, "read", "--resume", "--out", "sqlite:///readings.db", "footage")
    assert "3 of the photos and videos had been read before." in out
    assert "Written to sqlite:///readings.db." in out
    last = [reading["source"] for reading in held("sqlite:///readings.db")][7:]
    assert last == ["footage/bad.jpg", "footage/new.jpg"]  # the broken one was tried again

    code, out, _ = run(capsys, "report", "sqlite:///readings.db")
    assert (code, out) == (0, "readings.html: open it in a browser\n")
    page = Path("readings.html").read_text("utf-8")
    assert "<title>readings.db: what the dogs showed</title>" in page
    assert "frames of 1 video" in page
    assert "bad.jpg is not a picture" in page


def test_plain_sql_reads_it(capsys: pytest.CaptureFixture[str], bull_mastiff: Path, tmp_path: Path) -> None:
    run(capsys, "read", "--quiet", "--out", f"sqlite:///{tmp_path}/readings.db", bull_mastiff)
    with closing(sqlite3.connect(tmp_path / "readings.db")) as plain:
        rows = plain.execute(
            'SELECT source, status, name, emotion, probability, happiness, sure, "set" '
            "FROM dogs JOIN readings ON readings.id = reading_id JOIN models ON models.id = model_id"
        ).fetchall()
    ((source, status, name, emotion, probability, happiness, sure, possible),) = rows
    assert (source, status, name) == (str(bull_mastiff), "read", "base")
    assert 0 <= happiness <= probability <= 1
    assert sure in (0, 1)
    assert emotion in possible.split()


def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_twice(bull_mastiff: Path, tmp_path: Path) -> None:
    folder, address = photos_in(tmp_path / "in", bull_mastiff, 24), f"sqlite:///{tmp_path}/out.db"
    make_clip(folder / "015.mp4", steady(2, 10), moving_dogs([bull_mastiff]))
    command = [sys.executable, "-m", "dogmood", "read", "--json", "--resume", "--out", address, str(folder)]
    random = np.random.default_rng(7)
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            assert running.stdout is not None
            lines = [running.stdout.readline() for _ in range(int(random.integers(1, 18)))]
            running.send_signal(signal.SIGKILL)
        kept = [json.dumps(reading) for reading in held(address)]
        # Frames are written with their place, all else before it is said.
        said = [line.decode().strip() for line in lines if line.endswith(b"\n") and b'"time"' not in line]
        assert {json.dumps(json.loads(line)) for line in said} <= set(kept)
        assert len(kept) == len(set(kept))
    last = subprocess.run(command, capture_output=True, text=True, check=False)
    assert last.returncode == 0
    photos = [reading["source"] for reading in held(address) if "time" not in reading]
    assert sorted(map(str, photos)) == sorted(str(path) for path in folder.glob("*.jpg"))
    assert [reading["time"] for reading in held(address) if "time" in reading] == [i / 5 for i in range(10)]
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out.db"}


def test_ctrl_c_keeps_what_was_read_and_says_where(bull_mastiff: Path, tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "in", bull_mastiff, 60)
    command = [sys.executable, "-m", "dogmood", "read", "--json", "--out", f"sqlite:///{tmp_path}/out.db", str(folder)]
    said = interrupted(command)
    assert f"kept in sqlite:///{tmp_path}/out.db; the same command with --resume goes on." in said
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out.db"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["read", "rex.jpg", "--out", "mysql://rex:b0ne@kennel/dogs"], "begins with sqlite:/// or postgresql://"),
        (["read", "rex.jpg", "--out", "postgresql://rex:b0ne@127.0.0.1:1/dogs"], "postgresql://rex@127.0.0.1:1/dogs"),
        (["read", "rex.jpg", "--out", "sqlite:///missing/out.db"], "No such file or directory"),
        (["read", "rex.jpg", "--out", "sqlite:///out.db", "--model", "grand"], "There is no model 'grand'"),
        (["report", "sqlite:///out.db"], "sqlite:///out.db does not exist."),
        (["report", "postgresql://rex:b0ne@127.0.0.1:1/dogs"], "postgresql://rex@127.0.0.1:1/dogs cannot be read"),
        (["serve", "--no-open", "--port", "0", "--history", "sqlite:///missing/x.db"], "unable to open database file"),
        (["serve", "--no-open", "--port", "0", "--history", "redis://:b0ne@kennel"], "begins with sqlite:///"),
    ],
)
def test_wrong_use_gets_one_sentence_tells_no_password_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "b0ne" not in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_with_postgresql_it_is_the_same(
    capsys: pytest.CaptureFixture[str], footage: Path, postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    address = postgresql.new()
    code, out, _ = run(capsys, "read", "--json", "--out", address, "footage")
    assert code == 0
    assert held(address) == [json.loads(line) for line in out.splitlines()]
    code, out, err = run(capsys, "read", "--resume", "--out", address, "footage")
    assert (code, err.count("is not a picture")) == (0, 1)
    assert "Written to postgresql://rex@/kennel" in out
    assert "3 of the photos and videos had been read before." in out
    # The password may stand where no list of processes shows it.
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    bare = address.replace(":gnawed%20b0nes%2F%40%25", "")
    assert "b0ne" not in bare
    code, out, _ = run(capsys, "report", bare)
    assert code == 0
    (page,) = tmp_path.glob("*.html")
    assert page.name.startswith("kennel")
    assert out == f"{page.name}: open it in a browser\n"
    assert 'src="data:image/jpeg' in page.read_text("utf-8")


def test_a_server_keeps_a_history_where_the_environment_says(cottage: Path, tmp_path: Path) -> None:
    import httpx2

    address = f"sqlite:///{tmp_path}/history.db"
    with serving(DOGMOOD_HISTORY=address) as (process, page):
        httpx2.post(f"{page}v1/read?name=hut.jpg", content=cottage.read_bytes(), timeout=60)
        answer = httpx2.get(f"{page}v1/history").json()
        assert [entry["reading"]["source"] for entry in answer["readings"]] == ["hut.jpg"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert [path.name for path in tmp_path.iterdir()] == ["history.db"]
    assert [reading["source"] for reading in held(address)] == ["hut.jpg"]


def test_a_killed_servers_history_holds_all_that_was_answered(cottage: Path, tmp_path: Path) -> None:
    import httpx2

    address = f"sqlite:///{tmp_path}/history.db"
    with serving("--history", address) as (process, page):
        for i in range(4):
            assert httpx2.post(f"{page}v1/read?name={i}.jpg", content=cottage.read_bytes(), timeout=60).is_success
        process.kill()
    assert [reading["source"] for reading in held(address)] == [f"{i}.jpg" for i in range(4)]


def test_a_reading_is_the_same_from_either(dogmood, bull_mastiff: Path, tmp_path: Path) -> None:
    from dogmood.results import open_results

    reading: Reading = dogmood.read(bull_mastiff, explain=True)
    with open_results(f"sqlite:///{tmp_path}/out.db") as results:
        results.write(reading)
    assert json.dumps(held(f"sqlite:///{tmp_path}/out.db")) == json.dumps([reading.to_dict()])
