"""`dogmood sweep --cluster` on a real cluster of two nodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rays
from dogmood import __version__
from dogmood.lab import LabError
from dogmood.lab.settings import RunSettings, settings_of
from dogmood.lab.sweep import PLAN, plan, sweep
from rays import cluster

__all__ = ["cluster"]

pytest.importorskip("ray.tune", reason="the cluster extra is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")

SMALL = {"network": "shallow_cnn", "cut": "photo", "epochs": 1, "batch": 8, "crops": 1}
RATES = "rate=0.01,0.02"
PATIENCE = 600.0


@pytest.fixture
def base(small_data: Path) -> RunSettings:
    return settings_of({"data": str(small_data / "emotions"), **SMALL})


def begun(address: str, small_data: Path, out: Path, axis: str = RATES, **more: object) -> subprocess.Popen[str]:
    """Start a sweep in the folder that holds the data and the output, which it is told by their names."""
    settings = [word for name, value in {**SMALL, **more}.items() for word in ("--set", f"{name}={value}")]
    words = ["sweep", axis, "--data", "emotions", "--seeds", "1", "--cluster", address, *settings]
    words += ["--out", os.path.relpath(out, small_data), "--cache", os.path.relpath(out.parent / "cache", small_data)]
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "dogmood", *words]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=small_data)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate()
    assert "Traceback" not in err, err
    return process.returncode, out, err


def at_work(cluster: Any, out: Path) -> dict[int, str]:
    """Return the workers that do a run of the sweep now, and their nodes: they hold files of its folder open."""
    found = {}
    for node in cluster.worker_nodes:
        raylet = node.all_processes["raylet"][0].process.pid
        for process in rays.children(raylet):
            with suppress(OSError):
                held = [link.readlink() for link in Path(f"/proc/{process}/fd").iterdir()]
                if any(name.match(f"{out}/*/seed-*/*") for name in held):
                    found[process] = node.node_id
    return found


def rows_of(out: Path) -> Any:
    return json.loads((out / "sweep.json").read_text())


def test_both_nodes_run_and_give_what_one_machine_gives(
    cluster: Any, small_data: Path, base: RunSettings, tmp_path: Path
) -> None:
    running = begun(cluster.address, small_data, tmp_path / "sweep")
    nodes: set[str] = set()
    while running.poll() is None:
        nodes.update(at_work(cluster, tmp_path / "sweep").values())
        time.sleep(0.1)
    code, out, err = ended(running)
    assert len(nodes) == 2
    assert (code, err) == (0, "")
    assert "ten-crop test" in out
    here = sweep(plan(RATES, base, seeds=1), tmp_path / "here", tmp_path / "cache", jobs=1)
    assert rows_of(tmp_path / "sweep") == [vars(row) for row in here] == rows_of(tmp_path / "here")
    # Where the photos are is written down so that any machine finds them.
    settings = json.loads((tmp_path / "sweep/0.02/seed-0/run.json").read_text())["settings"]
    assert settings["data"] == str((small_data / "emotions").resolve())


def test_a_run_whose_worker_is_killed_is_run_again(cluster: Any, small_data: Path, tmp_path: Path) -> None:
    running = begun(cluster.address, small_data, tmp_path / "sweep", epochs=3)
    victim = rays.awaited(lambda: next(iter(at_work(cluster, tmp_path / "sweep")), None), PATIENCE)
    os.kill(victim, signal.SIGKILL)
    assert ended(running)[::2] == (0, "")
    for run in (tmp_path / "sweep").glob("*/seed-0"):
        assert len((run / "metrics.csv").read_text().splitlines()) == 1 + 3
    assert len(rows_of(tmp_path / "sweep")) == 2


def test_ctrl_c_keeps_what_was_done_and_the_same_words_go_on(cluster: Any, small_data: Path, tmp_path: Path) -> None:
    running = begun(cluster.address, small_data, tmp_path / "sweep", "rate=0.01,0.02,0.03")
    first = rays.awaited(lambda: next((tmp_path / "sweep").glob("*/seed-0/test.json"), None), PATIENCE)
    running.send_signal(signal.SIGINT)
    code, _, err = ended(running)
    name = os.path.relpath(tmp_path / "sweep", small_data)
    assert (code, err) == (130, f"Stopped: what was done is kept in {name}; the same words go on.\n")
    assert not (tmp_path / "sweep/sweep.json").exists()
    rays.awaited(lambda: None if at_work(cluster, tmp_path / "sweep") else True)
    before = first.stat().st_mtime_ns
    assert ended(begun(cluster.address, small_data, tmp_path / "sweep", "rate=0.01,0.02,0.03"))[::2] == (0, "")
    assert first.stat().st_mtime_ns == before
    assert len(rows_of(tmp_path / "sweep")) == 3


def test_what_fails_and_what_has_no_room_is_one_sentence(cluster: Any, small_data: Path, tmp_path: Path) -> None:
    code, _, err = ended(begun(cluster.address, small_data, tmp_path / "wide", devices=2))
    assert (code, err) == (2, "No machine of the cluster has 2 cores for a worker.\n")
    (tmp_path / "sweep/0.01").mkdir(parents=True)
    (tmp_path / "sweep/0.01/seed-0").touch()
    code, _, err = ended(begun(cluster.address, small_data, tmp_path / "sweep"))
    assert code == 2
    assert err.startswith("1 of 2 runs failed, 0.01/seed-0 first: ")
    assert len(err.splitlines()) == 1
    assert (tmp_path / "sweep/0.02/seed-0/test.json").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"out": "nowhere"}, r"does not see the folder .*nowhere: name one that all machines share"),
        ({"sweep": b"another"}, "does not see the folder"),
        ({"version": "0.0.0"}, "is 0.0.0: install the same"),
        ({"data": "/no/such/place"}, "does not see the photos in /no/such/place"),
    ],
    ids=str,
)
def test_a_machine_that_is_not_prepared_says_why(
    base: RunSettings, tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    from dogmood.lab.cluster import run_there

    (cell,) = plan("rate=0.01", base, seeds=1)
    (tmp_path / PLAN).write_bytes(b"plan")
    cell = replace(cell, settings=replace(cell.settings, data=changed.get("data", base.data)))
    out = tmp_path / changed.get("out", "")
    with pytest.raises(LabError, match=words):
        run_there(cell, out, tmp_path / "cache", changed.get("sweep", b"plan"), changed.get("version", __version__))
    assert not (out / cell.folder).exists()
