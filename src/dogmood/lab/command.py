"""The command line of what measures a model file on one split: figures as JSON, or one sentence."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dogmood.errors import DogMoodError


def run(measure: Callable[[str, Path, str], dict[str, Any]], about: str | None, folders: str) -> None:
    """Print what a model file measures as.

    Args:
        measure: takes a model's name or file, the folder of the data, and the split.
        about: what the help says.
        folders: which of the data's folders are needed, in words.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=f"the folder that holds {folders}")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--split", default="test", choices=("valid", "test"))
    options = parser.parse_args()
    try:
        figures = measure(options.model, options.data, options.split)
    except DogMoodError as error:
        sys.exit(str(error))
    print(json.dumps(figures, indent=1))
