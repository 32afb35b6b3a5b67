"""Known vulnerabilities in the locked dependencies, through pip-audit.

    python tools/audit.py [PIP_AUDIT]

What is installed by those who use dogmood (`web.lock`, `video.lock`) must have none, but
for those that `requirements/accepted-vulnerabilities.txt` accepts with a reason: it
leaves with 1.  What only tests and training use (`dev.lock`) is told of.

Where the advisories cannot be asked, that is said, and it leaves with 0: being offline
is no fault of the dependencies.  pip-audit itself finds "no known vulnerabilities" in
packages that it could not ask about, so its answers are read one by one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = ROOT / "requirements/accepted-vulnerabilities.txt"
SHIPPED = ("web", "video")
OTHERS = ("dev",)
PATIENCE = 180
"""Seconds that one lock file may take."""


@dataclass(frozen=True)
class Answer:
    """What is known of one lock file's packages.

    Attributes:
        asked: how many packages the advisories were asked about.
        unknown: how many they could not be asked about.
        found: a sentence for each vulnerability that is not accepted.
    """

    asked: int
    unknown: int
    found: tuple[str, ...]


def accepted() -> set[str]:
    """Return the identifiers of the vulnerabilities that are accepted."""
    lines = ACCEPTED.read_text("utf-8").splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def ask(program: str, lock: Path) -> str:
    """Return pip-audit's answer, empty where it gave none."""
    command = [program, "--disable-pip", "--require-hashes", "--requirement", str(lock), "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def understood(text: str, fine: set[str]) -> Answer | None:
    """Return what an answer says; None where it is none."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
        known = [package for package in packages if "vulns" in package]
        found = [
            f"{package['name']} {package['version']}: {fault['id']}, {repaired(fault)}"
            for package in known
            for fault in package["vulns"]
            if not fine & {fault["id"], *fault.get("aliases", ())}
        ]
    except (ValueError, KeyError, TypeError):
        return None
    return Answer(len(known), len(packages) - len(known), tuple(found))


def repaired(fault: dict[str, Any]) -> str:
    """Return in words where a vulnerability is repaired."""
    return f"repaired in {', '.join(fault['fix_versions'])}" if fault.get("fix_versions") else "not repaired yet"


def main() -> None:
    """Audit each lock file; leave with 1 where what is shipped has a vulnerability."""
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/tools/bin/pip-audit")
    fine = accepted()
    failed = False
    for name in SHIPPED + OTHERS:
        lock = f"{name}.lock"
        answer = understood(ask(program, ROOT / "requirements" / lock), fine)
        if answer is None or not answer.asked:
            print(f"audit: {lock} skipped: the advisories cannot be asked from here.")
            continue
        unknown = f", {answer.unknown} not known there" if answer.unknown else ""
        print(f"audit: {lock}: {answer.asked} packages{unknown}, {len(answer.found)} known vulnerabilities.")
        for sentence in answer.found:
            print(f"  {sentence}")
        failed = failed or (name in SHIPPED and bool(answer.found))
    if failed:
        sys.exit("Run `make lock UPGRADE=1`, or accept it with a reason in requirements/accepted-vulnerabilities.txt.")


if __name__ == "__main__":
    main()
