from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dogmood.cluster import claim
from dogmood.cluster.claim import CLAIM, alone_in
from dogmood.cluster.connection import ClusterError
from dogmood.cluster.places import Folder
from dogmood.errors import UsageError

REFUSAL = "Another run is at work in .*: wait for it, or stop it"


@pytest.fixture
def here(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "out"))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A folder in storage, where runs are quick to believe that another was killed."""
    monkeypatch.setattr(claim, "BEAT", 0.1)
    monkeypatch.setattr(claim, "PATIENCE", 1.0)
    folder = Folder(f"memory://{uuid.uuid4().hex}")
    folder.make()
    yield folder
    assert folder.names() == []


def claims_in(folder: Folder) -> list[str]:
    return [name for name in folder.names() if name.startswith(CLAIM)]


def checked_for_long(check: Callable[[], None]) -> None:
    for _ in range(200):
        check()
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["here", "stored"])
def test_a_second_run_is_refused_until_the_first_has_ended(kind: str, request: pytest.FixtureRequest) -> None:
    folder: Folder = request.getfixturevalue(kind)
    with alone_in(folder) as check:
        for _ in range(2):
            with pytest.raises(UsageError, match=REFUSAL), alone_in(folder):
                pass
        check()
        assert len(folder.names()) == 1
    assert folder.names() == []
    with alone_in(folder) as check:
        check()


HOLDING = """
import sys, time
from dogmood.cluster.claim import alone_in
from dogmood.cluster.places import Folder

with alone_in(Folder(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="there are no locks")
def test_a_run_that_was_killed_is_in_nobody_s_way(here: Folder) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDING, here.name], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "at work\n"
        with pytest.raises(UsageError, match=REFUSAL), alone_in(here):
            pass
        run.send_signal(signal.SIGKILL)
    assert here.names() == [".lock"]
    with alone_in(here):
        pass
    assert here.names() == []


@pytest.mark.skipif(os.name != "posix", reason="there are no locks")
def test_never_two_at_once_however_often_the_lock_comes_and_goes(here: Folder) -> None:
    inside, entered = threading.Lock(), []

    def enter(number: int) -> None:
        for _ in range(50):
            try:
                with alone_in(here):
                    assert inside.acquire(blocking=False)
                    entered.append(number)
                    inside.release()
            except UsageError:
                time.sleep(0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(8)))
    assert entered


def test_a_claim_that_was_left_behind_is_watched_and_taken_away(stored: Folder) -> None:
    stored.write_through(f"{CLAIM}left.json", b"{}")
    start = time.monotonic()
    with alone_in(stored):
        assert time.monotonic() - start >= claim.PATIENCE
        assert f"{CLAIM}left.json" not in stored.names()
        assert len(claims_in(stored)) == 1


def test_a_claim_that_vanishes_while_it_is_watched_is_not_waited_for(
    stored: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "PATIENCE", 60.0)
    stored.write_through(f"{CLAIM}ending.json", b"{}")
    threading.Timer(0.3, stored.remove, [f"{CLAIM}ending.json"]).start()
    with alone_in(stored):
        assert len(claims_in(stored)) == 1


def test_a_run_that_lost_its_claim_stops(stored: Folder) -> None:
    with alone_in(stored) as check:
        (own,) = claims_in(stored)
        stored.remove(own)
        with pytest.raises(ClusterError, match="another run has taken it over"):
            checked_for_long(check)


def test_of_runs_that_start_together_never_two_go_on(stored: Folder) -> None:
    together, inside, entered = threading.Barrier(4), threading.Lock(), []

    def enter(number: int) -> None:
        together.wait()
        try:
            with alone_in(stored):
                assert inside.acquire(blocking=False)
                entered.append(number)
                time.sleep(0.3)
                inside.release()
        except UsageError:
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"), alone_in(Folder(str(tmp_path / "file" / "out"))):
        pass
