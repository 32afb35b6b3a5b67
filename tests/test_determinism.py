"""The same photo gives the same JSON: run to run, in any company, with any workers, through every door.

With another number of threads, or on another machine, sums may be added up in another
order: there probabilities agree to 1e-4.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from dogmood import DogMood, Reading
from dogmood.outputs import json_line
from dogmood.web.app import create_app
from dogmood.web.settings import Settings
from pictures import corners, encoded

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, imagenet: Path) -> Path:
    """Real photos of dogs and of a cottage, drawn pictures, and two files that are none."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("imagenet_00_243.jpg", "imagenet_05_853.jpg", "imagenet_16_251.jpg"):
        shutil.copy(imagenet / name, folder)
    with Image.open(imagenet / "imagenet_16_251.jpg") as dog, Image.open(imagenet / "imagenet_00_243.jpg") as other:
        both = Image.new("RGB", (448, 224))
        both.paste(dog.convert("RGB").resize((224, 224)), (0, 0))
        both.paste(other.convert("RGB").resize((224, 224)), (224, 0))
    both.save(folder / "two.png")
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    (folder / "noise.webp").write_bytes(encoded(Image.fromarray(noise), "WEBP"))
    (folder / "corners.tiff").write_bytes(encoded(corners(), "TIFF"))
    (folder / "cut.jpg").write_bytes((folder / "imagenet_00_243.jpg").read_bytes()[:3000])
    (folder / "words.png").write_bytes(b"once upon a time")
    return folder


@pytest.fixture(scope="module")
def paths(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def lines(dogmood: DogMood, paths: list[Path]) -> dict[str, str]:
    """What each photo gives when it is read alone."""
    found: dict[str, str] = {}
    for path in paths:
        (reading,) = dogmood.read_many([path], workers=1)
        found[str(path)] = json_line(reading)
    assert any('"status": "read"' in line for line in found.values())
    return found


def written(readings: Sequence[Reading]) -> dict[str, str]:
    return {reading.source: json_line(reading) for reading in readings}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_and_company_change_nothing(
    dogmood: DogMood, paths: list[Path], lines: dict[str, str], workers: int
) -> None:
    assert written(list(dogmood.read_many(paths, workers=workers))) == lines


@pytest.mark.parametrize("seed", range(2))
def test_the_place_in_a_folder_changes_nothing(
    dogmood: DogMood, paths: list[Path], lines: dict[str, str], seed: int
) -> None:
    shuffled = [paths[i] for i in np.random.default_rng(seed).permutation(len(paths))]
    readings = list(dogmood.read_many(shuffled + shuffled[:2]))
    assert [reading.source for reading in readings] == [str(path) for path in shuffled + shuffled[:2]]
    assert written(readings) == lines


def test_another_reader_gives_the_same(paths: list[Path], lines: dict[str, str]) -> None:
    assert written(list(DogMood().read_many(paths))) == lines


def test_maps_change_nothing_and_are_the_same_themselves(dogmood: DogMood, folder: Path) -> None:
    path = folder / "two.png"
    plain, first, again = (dogmood.read(path, explain) for explain in (False, True, True))
    assert json_line(first) == json_line(again)
    for one, same, without in zip(first.dogs, again.dogs, plain.dogs, strict=True):
        assert one.probabilities == without.probabilities
        assert one.saliency is not None
        assert same.saliency is not None
        for emotion, saliency in one.saliency.items():
            assert np.array_equal(saliency, same.saliency[emotion])


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_the_program_gives_the_same_bytes_in_every_process(
    folder: Path, paths: list[Path], lines: dict[str, str], seed: str
) -> None:
    # Python's own order of sets is another in each process, and the clock goes on.
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "0" else "UTC"}
    command = [sys.executable, "-m", "dogmood", "read", "--json", "--workers", "1" if seed == "0" else "3", str(folder)]
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    assert done.stdout.decode() == "".join(lines[str(path)] + "\n" for path in paths)


def test_the_api_gives_the_same(paths: list[Path], lines: dict[str, str]) -> None:
    with TestClient(create_app(Settings()), base_url="http://127.0.0.1:8000") as client:
        for path in paths:
            asked = {"name": path.name, "lenient": True}
            answer = client.post("/v1/read", params=asked, content=path.read_bytes())
            expected = json.loads(lines[str(path)].replace(str(path), path.name))
            assert answer.json() == expected
            # The same keys in the same order, too.
            assert json.dumps(answer.json()) == json.dumps(expected)
            assert client.post("/v1/read", params=asked, content=path.read_bytes()).content == answer.content


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_probabilities_by_less_than_a_ten_thousandth(
    dogmood: DogMood, folder: Path, threads: int
) -> None:
    other = DogMood(threads=threads)
    for path in (folder / "two.png", folder / "imagenet_16_251.jpg", folder / "noise.webp"):
        ours, theirs = dogmood.read(path), other.read(path)
        assert ours.status == theirs.status
        for one, same in zip(ours.dogs, theirs.dogs, strict=True):
            assert same.box == pytest.approx(one.box, abs=0.1)
            assert same.presence == pytest.approx(one.presence, abs=TOLERANCE)
            assert same.emotion == one.emotion
            assert same.probabilities == pytest.approx(dict(one.probabilities), abs=TOLERANCE)
