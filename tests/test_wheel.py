"""The wheel works where the repository is not: it is built, installed elsewhere, and reads a photo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path

import pytest

import dogmood

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/dogmood"

pytest.importorskip("hatchling", reason="builds the wheel: pip install '.[test]'")


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository without asking any index."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "wheel", ROOT, "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", place, cwd=place)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment that holds the wheel, and sees our dependencies.

    They are seen through a line in a ``.pth`` file.  The repository is not: such a line
    does not make Python follow the ``.pth`` files of the folder that it names.
    """
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False)
    scheme = {"base": str(place), "platbase": str(place)}
    programs, site = (Path(sysconfig.get_path(kind, "venv", vars=scheme)) for kind in ("scripts", "purelib"))
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "--quiet", "--disable-pip-version-check"]
    # pip finds another dogmood through the line above, and would take it for the one to replace.
    run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel, cwd=place)
    return programs


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    tracked = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = names_in(wheel)
    about = f"dogmood-{dogmood.__version__}.dist-info"
    assert {name for name in names if not name.startswith(f"{about}/")} == tracked
    assert len(names) == len(set(names))
    # No photo, nothing compiled, no pickle.
    assert not {Path(name).suffix for name in names} & {".jpg", ".jpeg", ".png", ".pyc", ".so", ".pt", ".pth", ".pkl"}
    assert {name.removeprefix(f"{about}/") for name in names if name.startswith(about)} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["py.typed", "reading.schema.json", "models/base.dogmood", "models/fast.dogmood", "web/page/index.html"],
)
def test_what_programs_need_beside_code_is_inside(name: str, wheel: Path) -> None:
    assert f"dogmood/{name}" in names_in(wheel)


def test_the_wheel_says_which_version_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        told = Parser().parsestr(archive.read(f"dogmood-{dogmood.__version__}.dist-info/METADATA").decode())
    assert told["Version"] == dogmood.__version__
    assert told["License-Expression"] == "Apache-2.0"
    assert {"web", "video", "tables", "heic", "lab"} <= set(told.get_all("Provides-Extra", []))
    # Nothing of the machine that built it.
    assert str(ROOT) not in told.as_string()


def test_the_wheel_reads_a_photo_from_another_folder(installed: Path, bull_mastiff: Path, tmp_path: Path) -> None:
    (tmp_path / "rex.jpg").write_bytes(bull_mastiff.read_bytes())
    reading = json.loads(run(installed / "dogmood", "read", "rex.jpg", "--json", cwd=tmp_path))
    assert (reading["source"], reading["status"], reading["model"]["name"]) == ("rex.jpg", "read", "base")
    assert [dog["dog"] for dog in reading["dogs"]] == [1]


def test_it_is_the_wheel_that_is_run(installed: Path, tmp_path: Path) -> None:
    asked = "import dogmood, importlib.metadata as m; print(dogmood.__file__, m.version('dogmood'))"
    file, version = run(installed / "python", "-c", asked, cwd=tmp_path).split()
    assert Path(file).is_relative_to(installed.parent)
    assert version == dogmood.__version__ == run(installed / "dogmood", "--version", cwd=tmp_path).strip()


def typed(code: str, installed: Path, tmp_path: Path) -> Sequence[str]:
    (tmp_path / "user.py").write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(installed / "python")]
    command += ["--cache-dir", str(tmp_path / "cache"), "user.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_its_types_are_seen_by_those_who_use_it(installed: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    code = "from dogmood import DogMood\nprobability: str = DogMood().read('rex.jpg').dogs[0].probability\n"
    said = typed(code, installed, tmp_path)
    # An import without types would be reported too, and would make `probability` Any.
    assert [line for line in said if "error" in line and line.startswith("user.py")] == [
        'user.py:2: error: Incompatible types in assignment (expression has type "float", variable has type "str")'
        "  [assignment]"
    ], said
