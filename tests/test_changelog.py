"""CHANGELOG.md follows Keep a Changelog, and knows the version that the package has."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from packaging.version import Version

import dogmood

TEXT = (Path(__file__).parents[1] / "CHANGELOG.md").read_text("utf-8")
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<day>\S+))?$", re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_unreleased_comes_first_then_versions_newest_first() -> None:
    found = [(match["version"], match["day"]) for match in HEADING.finditer(TEXT)]
    assert found[0] == ("Unreleased", None)
    versions = [Version(version) for version, _ in found[1:]]
    days = [date.fromisoformat(day) for _, day in found[1:]]
    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)


def test_the_newest_version_is_the_packages() -> None:
    newest = [match["version"] for match in HEADING.finditer(TEXT)][1]
    assert newest == dogmood.__version__


def test_changes_stand_under_the_usual_words() -> None:
    assert re.findall(r"^## ", TEXT, re.MULTILINE) == ["## "] * len(HEADING.findall(TEXT))
    assert set(re.findall(r"^### (.*)$", TEXT, re.MULTILINE)) <= KINDS
    for part in re.split(HEADING.pattern.replace("(?P<version>", "(?:").replace("(?P<day>", "(?:"), TEXT, flags=re.M)[
        2:
    ]:
        assert re.search(r"^- \S", part, re.MULTILINE), "a version without a change"
