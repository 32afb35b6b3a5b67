"""The figures of a run as a picture, in the colours and the form of the lab's plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dogmood.lab.plots import BLUE, GREY, ORANGE, svg_text
from race.candidates import LIMIT, OURS, PEER

_COLOURS = {OURS: (BLUE, "dogmood"), LIMIT: (GREY, "its networks alone"), PEER: (ORANGE, "others, with other jobs")}

_PANELS = (
    ("latency_ms", "latency, ms a photo", "{:.0f}"),
    ("photos_per_s", "photos a second", "{:.1f}"),
    ("cold_start_s", "cold start, s", "{:.1f}"),
    ("peak_mb", "peak memory, MB", "{:,.0f}"),
)


def draw(figures: Mapping[str, Any]) -> str:
    """Return bars of all candidates, medians with their quartiles, as SVG text."""
    rows = figures["candidates"]
    figure = Figure((11.5, 1.4 + 0.34 * len(rows)), layout="constrained")
    colours = [_COLOURS[row["kind"]][0] for row in rows]
    places = range(len(rows))
    panels = figure.subplots(1, len(_PANELS), sharey=True)
    for axes, (name, title, form) in zip(panels, _PANELS, strict=True):
        middles, errors = zip(*(_bar(row[name]) for row in rows), strict=True)
        bars = axes.barh(
            places, middles, color=colours, xerr=list(zip(*errors, strict=True)), error_kw={"lw": 1, "capsize": 2}
        )
        axes.bar_label(bars, [form.format(value) if value else "-" for value in middles], padding=4, fontsize=8)
        axes.set_xlabel(title)
        axes.margins(x=0.25)
        axes.grid(alpha=0.3, axis="x")
        axes.set_axisbelow(True)
    panels[0].set_yticks(places, [row["title"] for row in rows])
    panels[0].invert_yaxis()
    handles = [Patch(color=colour, label=label) for colour, label in _COLOURS.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return svg_text(figure)


def _bar(value: Any) -> tuple[float, tuple[float, float]]:
    """Return a bar's length and how far its quartiles lie to both sides."""
    if value is None:
        return 0.0, (0.0, 0.0)
    if isinstance(value, Mapping):
        low, high = value["quartiles"]
        return value["median"], (value["median"] - low, high - value["median"])
    return value, (0.0, 0.0)
