"""A list of all that an installation is made of, from a lock file: CycloneDX, as JSON.

    build/tools/bin/python tools/sbom.py requirements/web.lock build/sbom/web.cdx.json

cyclonedx-py lists the locked packages with their hashes; added are what it cannot know:
dogmood's own version, what it asks for itself, and the models that it carries.  The
same files give the same list, whatever machine and hour.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
ROOT_REF = "root-component"


def listed(lock: Path) -> dict[str, Any]:
    """Return what cyclonedx-py makes of a lock file."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    command = [program, "requirements", lock, "--pyproject", ROOT / "pyproject.toml", "--output-reproducible"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"cyclonedx-py cannot list {lock}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def model(path: Path) -> dict[str, Any]:
    """Return the component that a shipped model is."""
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        card = json.loads(archive.read("card.json"))
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model-{card['name']}",
        "name": f"dogmood/{card['name']}",
        "version": str(card["version"]),
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }


def asked_for(lock: Path) -> set[str]:
    """Return the names of what dogmood itself asks for, as far as this file goes: uv notes it there."""
    text = lock.read_text("utf-8")
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    return {pin.partition("==")[0] for pin in pins if "dogmood (pyproject.toml)" in pin}


def complete(bom: dict[str, Any], lock: Path) -> None:
    """Add dogmood's version, the models, and what depends on what as far as dogmood itself goes."""
    text = (ROOT / "src/dogmood/__init__.py").read_text("utf-8")
    (version,) = re.findall(r'^__version__ = "(.*)"$', text, re.MULTILINE)
    bom["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/dogmood@{version}"}
    models = [model(path) for path in sorted((ROOT / "src/dogmood/models").glob("*.dogmood"))]
    asked = asked_for(lock)
    needed = [component["bom-ref"] for component in bom["components"] if component["name"] in asked]
    bom["components"] += models
    others = [one for one in bom["dependencies"] if one["ref"] != ROOT_REF]
    own = {"ref": ROOT_REF, "dependsOn": sorted([*needed, *(one["bom-ref"] for one in models)])}
    bom["dependencies"] = [own, *({"ref": one["bom-ref"]} for one in models), *others]
    for component in bom["components"]:
        # It holds the whole line of the lock file again, hashes and all.
        component.pop("description", None)


def main() -> None:
    """Write the list that is asked for."""
    if len(sys.argv) != 3:
        sys.exit("Say which lock file, and where the list goes: python tools/sbom.py LOCK FILE")
    lock, out = Path(sys.argv[1]), Path(sys.argv[2])
    bom = listed(lock)
    complete(bom, lock)
    text = json.dumps(bom, indent=1, sort_keys=True) + "\n"
    fault = JsonStrictValidator(SchemaVersion.from_version(bom["specVersion"])).validate_str(text)
    if fault is not None:
        sys.exit(f"The list is not valid CycloneDX: {fault}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    print(f"{out}: {len(bom['components'])} components")


if __name__ == "__main__":
    main()
