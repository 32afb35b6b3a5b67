"""Pages about the Python interface, from its docstrings, into a folder.

    python tools/api_docs.py build/docs

Told of are the package itself and the modules of the reading side; the command line,
the server and the lab have pages of their own.  A warning is an error.
"""

from __future__ import annotations

import pkgutil
import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

import dogmood

LEFT_OUT = {"__main__", "cli", "lab", "report", "web"}


def main() -> None:
    """Write the pages."""
    if len(sys.argv) != 2:
        sys.exit("Say where the pages go: python tools/api_docs.py FOLDER")
    warnings.filterwarnings("error", module="pdoc")
    # The package loads these when they are first used, which pdoc would not do.
    for name in dogmood.__all__:
        setattr(dogmood, name, getattr(dogmood, name))
    pdoc.render.configure(docformat="google", footer_text=f"dogmood {dogmood.__version__}", show_source=False)
    folder = Path(sys.argv[1])
    modules = sorted({module.name for module in pkgutil.iter_modules(dogmood.__path__)} - LEFT_OUT)
    pdoc.pdoc("dogmood", *(f"dogmood.{name}" for name in modules), output_directory=folder)
    # Where the package lies on this machine stands in the values of some constants.
    here = f"{Path(dogmood.__file__).parent.parent}/"
    for page in [*folder.rglob("*.html"), *folder.glob("*.js")]:
        page.write_text(page.read_text("utf-8").replace(here, ""), "utf-8")
    print(f"{folder / 'index.html'} is the first page.")


if __name__ == "__main__":
    main()
