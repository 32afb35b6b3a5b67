"""What a sweep comes to: a row for each value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What one value of the sweep reached; accuracies in [0, 1].

    Attributes:
        value: what was varied.
        seeds: how many runs.
        valid: mean of the best validation accuracies.
        valid_spread: their standard deviation; None for a single run.
        test: mean of the ten-crop test accuracies.
        test_spread: their standard deviation; None for a single run.
    """

    value: str
    seeds: int
    valid: float
    valid_spread: float | None
    test: float
    test_spread: float | None


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the table as text: mean and standard deviation over seeds, in per cent."""
    lines = ["| value | validation | ten-crop test | seeds |", "|---|---|---|---|"]
    for row in rows:
        valid, test = percent(row.valid, row.valid_spread), percent(row.test, row.test_spread)
        lines.append(f"| {row.value} | {valid} | {test} | {row.seeds} |")
    return "\n".join(lines) + "\n"


def percent(mean: float, spread: float | None) -> str:
    """Return a mean in per cent, with its standard deviation where there is one."""
    return f"{100 * mean:.2f}" if spread is None else f"{100 * mean:.2f} ± {100 * spread:.2f}"
