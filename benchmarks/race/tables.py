"""The figures of a run as Markdown, with what they do not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from race.candidates import MODELS

Figures = Mapping[str, Any]

MISSING = "-"


def to_markdown(figures: Figures) -> str:
    """Return all tables of a run."""
    rows = figures["candidates"]
    parts = [
        _conditions(figures),
        "Medians, with quartiles in brackets.",
        table(
            ["", "latency, ms a photo", "photos a second", "cold start, s", "peak memory, MB", "installed, MB"],
            [
                [
                    row["title"],
                    spread(row["latency_ms"], 1),
                    spread(row["photos_per_s"], 1),
                    spread(row["cold_start_s"], 2),
                    number(row["peak_mb"], 0),
                    number(row["installed_mb"], 0),
                ]
                for row in rows
            ],
        ),
        "The same as ratios over dogmood's, round by round: above 1 the candidate takes longer, but does more "
        "photos a second.",
        table(
            [
                "",
                *(f"{what}, of `{model}`" for what in ("latency", "photos a second", "cold start") for model in MODELS),
            ],
            [
                [
                    row["title"],
                    *(
                        spread(row[f"{what}_over"].get(model), 2, "ratio")
                        for what in ("latency", "photos_per_s", "cold_start")
                        for model in MODELS
                    ),
                ]
                for row in rows
            ],
        ),
        "What each one does with a photo:",
        table(["", "job", "read"], [[row["title"], row["job"], row["read"]] for row in rows], align="---"),
        _networks(figures),
        "\n".join(f"- left out: {one['title']}: {one['reason']}" for one in figures["left_out"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "---:") -> str:
    """Return a Markdown table; the first column names the rows, the others are aligned as said."""
    lines = [head, ["---", *[align] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}"


def spread(of: Mapping[str, Any] | None, digits: int, middle: str = "median") -> str:
    """Return a median with its quartiles."""
    if of is None:
        return MISSING
    low, high = (number(value, digits) for value in of["quartiles"])
    return f"{number(of[middle], digits)} ({low} to {high})"


def _conditions(figures: Figures) -> str:
    photos = figures["photos"]
    return (
        f"{photos['count']} photos of {photos['median_megapixels']} megapixels at the median, in which `base` finds "
        f"{photos['dogs']['base']} dogs and `fast` {photos['dogs']['fast']}; every candidate in a process of its own "
        f"with {figures['threads']} threads on {figures['cores']} cores, block after block in turn "
        f"({figures['rounds']} rounds; cold start {figures['cold_starts']} times). deepface is shown a person's "
        "photo of the same sizes. The others do other jobs than dogmood, with weights that are random or fitted on "
        "random pictures: this says what they cost, and nothing of how well they read. A cold start is a fresh process "
        "that reads one photo: `dogmood read PHOTO`, and a bare script for all others. Memory is the most that the "
        "process held when it had read all photos. Installed is what the packages need with all that they depend on, "
        "without weights."
    )


def _networks(figures: Figures) -> str:
    if not figures["networks"]:
        return ""
    rates = figures["multiplication"]
    rows = [
        [f"product of matrices, {threads} thread{'s' if int(threads) > 1 else ''}", MISSING, spread(rate, 0), MISSING]
        for threads, rate in rates.items()
    ]
    rows += [
        [
            f"{one['network']} of {one['model']}",
            number(one["gflop"], 2),
            spread(one["gflops"], 0),
            f"{one['of_the_rate']:.0%}",
        ]
        for one in figures["networks"]
    ]
    return (
        "How close the networks run to the machine's rate (numpy's product of float32 matrices of 2048 by 2048 with as "
        "many threads; products only are counted, an addition and a multiplication as two):\n\n"
        + table(["", "GFLOP a run", "GFLOP a second", "of the rate"], rows)
    )
