"""`make audit`: vulnerabilities in what is shipped fail, being offline does not, and is never taken for health.

A program that answers as pip-audit does stands in for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {"name": "pillow", "version": "13.0.0", "vulns": []}
UNKNOWN = {"name": "pillow", "skip_reason": "Dependency not found and could not be audited: pillow (13.0.0)"}
BAD = {
    "name": "pillow",
    "version": "9.0.0",
    "vulns": [{"id": "PYSEC-2099-1", "aliases": ["CVE-2099-0001"], "fix_versions": ["9.0.1"], "description": "..."}],
}


def audited(tmp_path: Path, answers: dict[str, Any], code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the audit with a program that gives these answers, by lock file."""
    program = tmp_path / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"answers = {answers!r}\n"
        "lock = sys.argv[sys.argv.index('--requirement') + 1].rsplit('/', 1)[-1].removesuffix('.lock')\n"
        f"print(answers.get(lock, answers.get('*', ''))); sys.exit({code})\n"
    )
    program.chmod(0o755)
    return subprocess.run([sys.executable, ROOT / "tools/audit.py", program], capture_output=True, text=True)


def answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_nothing_known_passes(tmp_path: Path) -> None:
    done = audited(tmp_path, {"*": answer(CLEAN)})
    assert done.returncode == 0
    assert "audit: web.lock: 1 packages, 0 known vulnerabilities." in done.stdout


def test_a_vulnerability_in_what_is_shipped_fails_and_says_what_to_do(tmp_path: Path) -> None:
    done = audited(tmp_path, {"*": answer(CLEAN), "web": answer(CLEAN, BAD)}, code=1)
    assert done.returncode == 1
    assert "pillow 9.0.0: PYSEC-2099-1, repaired in 9.0.1" in done.stdout
    assert "make lock UPGRADE=1" in done.stderr


def test_one_in_what_only_tests_use_is_told_of(tmp_path: Path) -> None:
    done = audited(tmp_path, {"*": answer(CLEAN), "dev": answer(BAD)}, code=1)
    assert done.returncode == 0
    assert "PYSEC-2099-1" in done.stdout


@pytest.mark.parametrize(
    "said",
    ["", "no route to host", "[]", "{}", '{"dependencies": [{"vulns": [{}]}]}', answer(), answer(UNKNOWN, UNKNOWN)],
)
def test_being_offline_is_said_and_passes(said: str, tmp_path: Path) -> None:
    done = audited(tmp_path, {"*": said}, code=1)
    assert done.returncode == 0
    assert "audit: web.lock skipped: the advisories cannot be asked from here." in done.stdout
    assert "0 known vulnerabilities" not in done.stdout


def test_packages_that_could_not_be_asked_about_are_counted(tmp_path: Path) -> None:
    done = audited(tmp_path, {"*": answer(CLEAN, UNKNOWN)})
    assert "audit: web.lock: 1 packages, 1 not known there, 0 known vulnerabilities." in done.stdout


def test_no_pip_audit_passes(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "tools/audit.py", tmp_path / "absent"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert "skipped" in done.stdout


@pytest.mark.parametrize("named", ["PYSEC-2099-1", "CVE-2099-0001"])
def test_what_is_accepted_passes(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    import audit

    assert audit.understood(answer(BAD), {named}).found == ()
    assert len(audit.understood(answer(BAD), {"PYSEC-2099-2"}).found) == 1


def test_each_accepted_vulnerability_has_a_reason() -> None:
    lines = (ROOT / "requirements/accepted-vulnerabilities.txt").read_text("utf-8").splitlines()
    assert all(len(line.split()) > 3 for line in lines if line and line[0] != "#")
