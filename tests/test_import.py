from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dogmood

PACKAGE = Path(dogmood.__file__).parent
HEAVY = ("PIL", "onnxruntime", "torch", "rich")


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, dogmood; print([m for m in {HEAVY} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_reading_never_loads_torch(bull_mastiff: Path) -> None:
    code = f"import sys, dogmood; dogmood.DogMood().read({str(bull_mastiff)!r}, True); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_public_names_are_there_and_others_are_not() -> None:
    for name in dogmood.__all__:
        assert getattr(dogmood, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'CatMood'"):
        _ = dogmood.CatMood


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they lead"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows_point_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    imported = imports_of(path)
    if room != "lab":
        assert not any(name.split(".")[0] in ("torch", "sklearn", "scipy", "onnx") for name in imported)
    # Of the commands, only the lab's own are doors to it, and open them when called.
    reads = room != "lab" and (room != "cli" or path.name in ("__init__.py", "read.py", "show.py"))
    if reads:
        assert not any(name.startswith("dogmood.lab") for name in imported)
    if room not in ("cli", "web", "__main__.py"):
        assert not any(name.startswith("dogmood.web") for name in imported)
    if room not in ("cli", "__main__.py"):
        assert not any(name.startswith("dogmood.cli") for name in imported)
