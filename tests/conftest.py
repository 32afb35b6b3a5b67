from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from dogmood import DogMood

ROOT = Path(__file__).parents[1]

# Shells start what runs in the background deaf to Ctrl-C, which the programs that
# tests start would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test times anything; and where a change is judged, equal code is judged equally.
settings.register_profile("dogmood", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("dogmood")


@pytest.fixture(scope="session")
def dogmood() -> DogMood:
    return DogMood()


@pytest.fixture(scope="session")
def imagenet() -> Path:
    """The folder of the twenty ImageNet photos that the foolbox wheel carries."""
    spec = importlib.util.find_spec("foolbox")
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    places.append(ROOT / "build/foolbox/foolbox")
    for place in places:
        if (place / "data/imagenet_00_243.jpg").is_file():
            return place / "data"
    pytest.fail("the photos are not there: run `make test`, which fetches them")


@pytest.fixture(scope="session")
def cat() -> Path:
    """Chelsea, the cat that the scikit-image wheel carries (CC0)."""
    spec = importlib.util.find_spec("skimage")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (photo := Path(place, "data/chelsea.png")).is_file():
            return photo
    pytest.fail("the photo of a cat is not there: run `make test`, which installs it")


@pytest.fixture(scope="session")
def bull_mastiff(imagenet: Path) -> Path:
    return imagenet / "imagenet_00_243.jpg"


@pytest.fixture(scope="session")
def cottage(imagenet: Path) -> Path:
    return imagenet / "imagenet_05_853.jpg"
