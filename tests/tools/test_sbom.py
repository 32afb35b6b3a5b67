"""`make sbom`: all that is locked and the models are listed, with hashes, the same on every machine."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import dogmood

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "build/tools/bin/python"
if not PYTHON.with_name("cyclonedx-py").exists():
    pytest.skip("cyclonedx-py is not there: run `make sbom` or `make audit` first", allow_module_level=True)

LOCK = ROOT / "requirements/web.lock"


def written(path: Path) -> bytes:
    subprocess.run([PYTHON, ROOT / "tools/sbom.py", LOCK, path], check=True, cwd=path.parent, stdout=subprocess.PIPE)
    return path.read_bytes()


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("sbom") / "web.cdx.json")


@pytest.fixture(scope="module")
def bom(text: bytes) -> Any:
    return json.loads(text)


def test_every_locked_package_is_listed_with_its_hashes(bom: Any) -> None:
    listed = {
        (one["name"], one["version"]): {h["content"] for ref in one["externalReferences"] for h in ref["hashes"]}
        for one in bom["components"]
        if one["type"] == "library"
    }
    locked = {}
    for pin in re.split(r"^(?=[a-z0-9])", LOCK.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, version = re.match(r"(\S+)==(\S+)", pin).groups()
        locked[name, version] = set(re.findall(r"--hash=sha256:(\w+)", pin))
    assert listed == locked


def test_the_models_are_listed_by_their_checksums(bom: Any) -> None:
    models = [one for one in bom["components"] if one["type"] == "machine-learning-model"]
    files = sorted((ROOT / "src/dogmood/models").glob("*.dogmood"))
    assert [one["name"] for one in models] == [f"dogmood/{file.stem}" for file in files]
    for one, file in zip(models, files, strict=True):
        assert one["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}]


def test_it_says_which_version_of_dogmood_depends_on_what(bom: Any) -> None:
    own = bom["metadata"]["component"]
    assert (own["name"], own["version"]) == ("dogmood", dogmood.__version__)
    (needed,) = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == own["bom-ref"]]
    names = {one["bom-ref"]: one["name"] for one in bom["components"]}
    assert {"numpy", "pillow", "onnxruntime", "fastapi", "dogmood/base"} <= {names[ref] for ref in needed}
    assert "starlette" not in {names[ref] for ref in needed}  # fastapi asks for it, dogmood does not


def test_it_is_the_same_again_and_tells_nothing_of_the_machine(text: bytes, tmp_path: Path) -> None:
    assert written(tmp_path / "again.cdx.json") == text
    assert str(ROOT).encode() not in text
    assert b"timestamp" not in text
    assert b"serialNumber" not in text
