"""Every command of the section of docs/HOWTO.md about many machines, run as it stands there on two nodes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rays import cluster
from test_howto_footage import SMALL, commands_of, place

__all__ = ["cluster", "place"]

pytest.importorskip("ray.data", reason="the cluster extra is not installed")

ADDRESS = "10.0.0.1:6379"
# What the section takes for granted: photos with labels, made into data.
FIRST = ["dogmood data import photos data", "dogmood data split data --no-embedding"]


@pytest.mark.skipif(sys.platform != "linux", reason="the nodes are made for Linux")
def test_every_command_works(cluster: Any, place: Path) -> None:
    commands = commands_of("Many machines")
    assert sum(ADDRESS in command for command in commands) == 3
    for command in FIRST + commands:
        more = SMALL["sweep"] if command.startswith("dogmood sweep") else []
        words = [cluster.address if word == ADDRESS else word for word in shlex.split(command)[1:]]
        ran = subprocess.run([sys.executable, "-m", "dogmood", *words, *more], capture_output=True, text=True)
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
        assert "Traceback" not in ran.stderr
    for path in ("readings/_SUCCESS", "readings.html", "sweeps/rate/report.html"):
        assert (place / path).is_file()
