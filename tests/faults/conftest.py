from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clips import grey_by_time, make_clip, steady
from faults.toy_model import write_toy
from faults.warm import READING, SERVING, TRAINING, Warm

_spec = importlib.util.spec_from_file_location("lab_conftest", Path(__file__).parents[1] / "lab" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_lab = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_lab)
small_data = _lab.small_data


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy") / "toy.dogmood")


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight tiny photos, one that is none, and a clip of two seconds."""
    folder = tmp_path_factory.mktemp("footage")
    for i in range(8):
        Image.fromarray(np.full((40, 48, 3), 30 * i, np.uint8)).save(folder / f"{i}.png")
    (folder / "5.jpg").write_text("woof")
    make_clip(folder / "m.mp4", steady(2, 10), grey_by_time())
    return folder


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with Warm(tmp_path_factory.mktemp("warm"), READING) as parent:
        yield parent


@pytest.fixture(scope="session")
def warm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with Warm(tmp_path_factory.mktemp("server"), SERVING) as parent:
        yield parent


@pytest.fixture(scope="session")
def warm_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with Warm(tmp_path_factory.mktemp("lab"), TRAINING) as parent:
        yield parent
