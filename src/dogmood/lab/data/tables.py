"""What the tables of other data sets say of their photos, as our manifest says it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dogmood.emotions import EMOTIONS
from dogmood.files import inside
from dogmood.lab import LabError

KEPT = ("split", "group", "dog", "video", "source", "tier", *EMOTIONS)
"""The columns of a table that are taken over, besides the photo and its label."""

SPLIT_WORDS = {
    "train": "train", "training": "train", "valid": "valid", "val": "valid", "validation": "valid", "dev": "valid",
    "test": "test", "testing": "test", "publictest": "valid", "privatetest": "test",
}  # fmt: skip
"""What other data sets call the splits, in lower case; the last two are FER2013's."""


def read_table(source: Path) -> list[dict[str, str]]:
    """Read a CSV or Parquet file as rows of text.

    Raises:
        LabError: it is neither, or has no rows.
    """
    try:
        if source.suffix.lower() == ".parquet":
            import pyarrow.parquet

            read: list[dict[str, Any]] = pyarrow.parquet.read_table(source).to_pylist()
            rows = [{name.strip(): "" if value is None else str(value) for name, value in row.items()} for row in read]
        else:
            csv.field_size_limit(2**24)  # the pixels of a large picture in one field
            with source.open(newline="", encoding="utf-8-sig") as file:
                # One edition of FER2013 has blanks between the names of its columns.
                rows = [{k.strip(): v or "" for k, v in row.items() if k is not None} for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error):
        raise LabError(f"{source} cannot be read as a table: give a CSV file in UTF-8 or a Parquet file.") from None
    if not rows:
        raise LabError(f"{source} has no rows.")
    return rows


def facts_of(row: Mapping[str, str], name: str, table: Path) -> dict[str, str]:
    """Return what else a table says of a photo, as our manifest says it.

    Raises:
        LabError: its split or its soft label is none: `read_manifest` would refuse the
            whole folder for it.
    """
    facts = {key: row[key] for key in KEPT if row.get(key)}
    if "split" in facts:
        facts["split"] = split_of(facts["split"], name, table)
    given = [key for key in EMOTIONS if facts.get(key, "").strip()]
    if given and not (len(given) == len(EMOTIONS) and all(_is_number(facts[key]) for key in EMOTIONS)):
        raise LabError(
            f"{table}: the soft label of {name[:200]!r} is no five numbers: fill the columns "
            f"{', '.join(EMOTIONS)} in every such row, or remove them all."
        )
    return facts


def split_of(word: str, name: str, table: Path) -> str:
    """Return the split that a word means; empty where the table says nothing.

    Raises:
        LabError: the word is none of `SPLIT_WORDS`.
    """
    said = plain(word)
    if not said:
        return ""
    if said not in SPLIT_WORDS:
        raise LabError(
            f"{table} puts {name[:200]!r} into the split {word[:200]!r}, which is none known here: "
            f"write {', '.join(SPLIT_WORDS)}, or nothing."
        )
    return SPLIT_WORDS[said]


def beside(table: Path, name: str) -> Path:
    """Return the path of a photo that a table names: a downloaded table shall not name just any file.

    Raises:
        LabError: the photo does not lie in the table's folder.
    """
    # A table given as ../table.csv, or by a link, lies elsewhere than its path says at first sight.
    written, folder = table.parent.absolute(), table.parent.resolve()
    base = written if Path(name).is_relative_to(written) else folder
    try:
        return inside(table.parent, str(Path(name).relative_to(base)) if Path(name).is_absolute() else name)
    except ValueError:
        raise LabError(
            f"{table} names {name[:200]!r}, which does not lie in {folder}: move the table to a folder that holds "
            "its photos, and write their paths from there."
        ) from None


def plain(word: str) -> str:
    """Return a word as words are compared."""
    return word.strip().lower()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
