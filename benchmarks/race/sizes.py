"""How much room packages take with all that they need, from what an environment has installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

_SITE = (
    "import json, sysconfig; print(json.dumps(sorted({sysconfig.get_path(name) for name in ('purelib', 'platlib')})))"
)


def site_of(python: str) -> list[str]:
    """Return where an environment keeps its packages."""
    done = subprocess.run([python, "-c", _SITE], stdout=subprocess.PIPE, text=True, check=True)
    places: list[str] = json.loads(done.stdout)
    return places


def closure_bytes(packages: Iterable[str], site: list[str]) -> int:
    """Return the bytes of packages with all they depend on, extras left out.

    Args:
        packages: their names.
        site: where they are installed.

    Raises:
        LookupError: one that is asked for is not installed.
    """
    from importlib import metadata

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    installed = {canonicalize_name(one.metadata["Name"]): one for one in metadata.distributions(path=site)}
    waiting = [canonicalize_name(name) for name in packages]
    if missing := [name for name in waiting if name not in installed]:
        raise LookupError(f"{', '.join(missing)} is not installed")
    taken: set[str] = set()
    while waiting:
        name = waiting.pop()
        # A dependency that is not there is one that is not needed here.
        if name in taken or name not in installed:
            continue
        taken.add(name)
        for requirement in map(Requirement, installed[name].requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    # Two packages may claim the same file.
    files = {Path(str(file.locate())) for name in taken for file in installed[name].files or ()}
    return sum(file.stat().st_size for file in files if file.is_file())


def folder_bytes(folder: Path, leaving_out: str) -> int:
    """Return the bytes of a folder's files, but for those of a suffix and compiled ones."""
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != leaving_out and "__pycache__" not in path.parts
    )
