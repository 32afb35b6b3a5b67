"""The lock files name what pyproject.toml asks for, each with hashes, and nothing of the machine that wrote them."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
RUN: list[str] = PROJECT["project"]["dependencies"]
BUILD: list[str] = PROJECT["build-system"]["requires"]
ASKED = {
    "run": RUN,
    "web": RUN + EXTRAS["web"],
    "video": RUN + EXTRAS["video"],
    "dev": RUN + [one for extra in EXTRAS.values() for one in extra],
    "build": BUILD,
    "tools": (ROOT / "requirements/tools.in").read_text("utf-8").split(),
    "peers": (ROOT / "requirements/peers.in").read_text("utf-8").split(),
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("linux", "darwin", "win32")


def pins_of(lock: Path) -> list[tuple[Requirement, list[str]]]:
    """Return each pinned requirement of a lock file with its hashes."""
    text = re.sub(r"^\s*#.*$", "", lock.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    pins = []
    for line in filter(None, map(str.strip, text.splitlines())):
        pinned, *hashes = re.split(r"\s+--hash=", line)
        pins.append((Requirement(pinned), [one.strip() for one in hashes]))
    return pins


def holds(requirement: Requirement, python: str, platform: str) -> bool:
    where = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": platform}
    return requirement.marker is None or requirement.marker.evaluate(where | {"platform_machine": "x86_64"})


def versions(pins: Iterable[tuple[Requirement, list[str]]], python: str, platform: str) -> dict[str, list[str]]:
    """Return the versions that a lock file gives each package there: one, unless the file is wrong."""
    found = defaultdict(list)
    for pin, _ in pins:
        if holds(pin, python, platform):
            found[canonicalize_name(pin.name)] += [clause.version for clause in pin.specifier]
    return found


def test_every_lock_file_is_known() -> None:
    assert {lock.stem for lock in LOCKS} == set(ASKED)
    assert (ROOT / "requirements/build.in").read_text("utf-8").splitlines() == BUILD


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_everything_is_pinned_with_hashes(lock: Path) -> None:
    for pin, hashes in pins_of(lock):
        assert [clause.operator for clause in pin.specifier] == ["=="], pin
        assert pin.url is None, pin
        assert hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), pin


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_nothing_of_the_machine_is_inside(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|(^|\s)/", text)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_they_are_in_step_with_the_project(lock: Path, python: str) -> None:
    pins = pins_of(lock)
    for platform in PLATFORMS:
        pinned = versions(pins, python, platform)
        assert not {name: found for name, found in pinned.items() if len(found) > 1}
        for asked in map(Requirement, ASKED[lock.stem]):
            if not holds(asked, python, platform):
                continue
            found = pinned.get(canonicalize_name(asked.name))
            assert found, f"{asked} is not in {lock.name}: run `make lock`"
            assert asked.specifier.contains(Version(found[0]), prereleases=True), f"{asked}: run `make lock`"


@pytest.mark.parametrize("name", ["run", "web", "video", "build"])
def test_the_smaller_files_take_the_versions_of_the_whole(name: str) -> None:
    whole = versions(pins_of(ROOT / "requirements/dev.lock"), "3.13", "linux")
    for package, found in versions(pins_of(ROOT / f"requirements/{name}.lock"), "3.13", "linux").items():
        assert whole.get(package) == found, f"{package}: run `make lock`"


def test_what_reads_photos_stays_small() -> None:
    """The run path has no training, no web server and nothing that the linters need."""
    names = set(versions(pins_of(ROOT / "requirements/run.lock"), "3.13", "linux"))
    assert not names & {"torch", "pydantic", "fastapi", "scipy", "pandas", "ray", "hatchling", "pytest"}
    assert len(names) <= 20
