"""Installed size: what `pip install dogmood` without extras puts on a disk, but for the weights.

The package goes into a fresh environment; counted is everything in its site-packages
but pip, setuptools and the model files, in MB (10^6 bytes).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from importlib import metadata
from pathlib import Path

from common import print_line

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {"pip", "setuptools"}


def install(place: Path) -> Path:
    """Install the package into a fresh environment and return its site-packages."""
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT], check=True, stdout=sys.stderr
    )
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(where.stdout.strip())


def sizes(site: Path) -> tuple[Counter[str], int]:
    """Return the bytes of each package without weights, and the bytes of the weights."""
    owner = {
        Path(file.locate()).resolve(): dist.metadata["Name"]
        for dist in metadata.distributions(path=[str(site)])
        for file in dist.files or ()
    }
    packages: Counter[str] = Counter()
    weights = 0
    for path in (path for path in site.rglob("*") if path.is_file()):
        size = path.stat().st_size
        if path.suffix == ".dogmood":
            weights += size
        else:
            packages[owner.get(path.resolve(), "(no package)")] += size
    for name in NOT_OURS:
        packages.pop(name, None)
    return packages, weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        packages, weights = sizes(install(Path(place, "venv")))
    print_line(
        "installed size",
        mb=round(packages.total() / 1e6, 1),
        aim="under 250",
        weights_mb=round(weights / 1e6, 1),
        packages_mb={name: round(size / 1e6, 2) for name, size in packages.most_common()},
    )


if __name__ == "__main__":
    main()
