"""Which part of the dog spoke for which emotion, and what becomes of a reading without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dogmood.emotions import EMOTIONS
from dogmood.lab.explain.journal import Row
from dogmood.lab.explain.measures import HIDDEN
from dogmood.lab.intervals import mean_with_interval
from dogmood.regions import REGIONS

EVERY = "all"


def attention_figures(rows: Sequence[Row], groups: Sequence[str]) -> dict[str, Any]:
    """Return what `dogmood.lab.explain.measures.attention` says, by label and over all photos.

    Args:
        rows: one a photo.
        groups: what is resampled together.

    Returns:
        For each emotion that is a label, and for ``all``: ``n``; ``shares`` and
        ``even`` (photos where a head was found and something spoke for the label);
        ``falls``; ``accuracy`` and ``accuracy without`` each part.
    """
    labels = [emotion for emotion in EMOTIONS if any(row["label"] == emotion for row in rows)]
    chosen = {label: [i for i, row in enumerate(rows) if row["label"] == label] for label in labels}
    chosen[EVERY] = list(range(len(rows)))
    return {label: _of([rows[i] for i in kept], [groups[i] for i in kept]) for label, kept in chosen.items()}


def _of(rows: Sequence[Row], groups: Sequence[str]) -> dict[str, Any]:
    told = [i for i, row in enumerate(rows) if row["head found"] and "shares" in row]
    inside = [groups[i] for i in told]

    def right(row: Row, read: str) -> float:
        return float(read == row["label"])

    return {
        "n": len(rows),
        "shares": {r: mean_with_interval([rows[i]["shares"][r] for i in told], inside) for r in REGIONS},
        "even": {r: mean_with_interval([rows[i]["even"][r] for i in told], inside) for r in REGIONS},
        "falls": {r: mean_with_interval([row["falls"][r] for row in rows], groups) for r in HIDDEN},
        "accuracy": mean_with_interval([right(row, row["read"]) for row in rows], groups),
        "accuracy without": {
            r: mean_with_interval([right(row, row["read without"][r]) for row in rows], groups) for r in HIDDEN
        },
    }
