"""What a sweep comes to: a row for each value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any


@dataclass(frozen=True)
class Row:
    """What one value of the sweep reached; accuracies in [0, 1].

    Attributes:
        value: what was varied.
        seeds: how many runs are done.
        valid: mean of the best validation accuracies.
        valid_spread: their standard deviation; None for a single run.
        test: mean of the ten-crop test accuracies; like ``valid`` no number where every run failed.
        test_spread: their standard deviation; None for a single run.
        failed: how many runs failed.
    """

    value: str
    seeds: int
    valid: float
    valid_spread: float | None
    test: float
    test_spread: float | None
    failed: int = 0

    def shown(self) -> tuple[str, str, str, str]:
        """Return the row as a table shows it: value, validation and test in per cent, seeds."""
        seeds = f"{self.seeds} ({self.failed} failed)" if self.failed else str(self.seeds)
        if not self.seeds:
            return self.value, "failed", "failed", seeds
        return self.value, percent(self.valid, self.valid_spread), percent(self.test, self.test_spread), seeds

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON holds it, which knows only numbers."""
        absent = {} if self.seeds else {"valid": None, "test": None}
        return {**vars(self), **absent}

    @classmethod
    def of(cls, held: dict[str, Any]) -> Row:
        """Return what `to_dict` gave.

        Raises:
            TypeError: it is something else.
        """
        row = cls(**held)
        numbers = (row.valid, row.test) if row.seeds else ()
        if not all(isinstance(number, int | float) for number in numbers):
            raise TypeError
        return row if row.seeds else cls(str(row.value), 0, nan, None, nan, None, row.failed)


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the table as text: mean and standard deviation over seeds, in per cent."""
    lines = ["| value | validation | ten-crop test | seeds |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {' | '.join(row.shown())} |")
    return "\n".join(lines) + "\n"


def percent(mean: float, spread: float | None) -> str:
    """Return a mean in per cent, with its standard deviation where there is one."""
    return f"{100 * mean:.2f}" if spread is None else f"{100 * mean:.2f} ± {100 * spread:.2f}"
