"""Figures of runs and sweeps, as SVG text that a page can hold.

Colours are those of Okabe and Ito (2008), which colour-blind eyes tell apart; lines
also differ in style, so that they can be printed.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from dogmood.lab.run import EpochMetrics
from dogmood.lab.sweep_table import Row

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"
_REGION_STYLES = {
    "muzzle": (ORANGE, ""),
    "eyes": (BLUE, ""),
    "ears": ("#009E73", ".."),
    "rest_of_head": ("#E69F00", "//"),
    "body": ("#CC79A7", ""),
    "backdrop": ("#DDDDDD", ""),
}
"""Colours of Okabe and Ito and, where two are alike in grey print, a hatch."""

SIZE = (5.2, 3.8)
"""Inches; about 500 pixels wide on a page."""


def of_run(rows: Sequence[EpochMetrics], figures: dict[str, Any]) -> dict[str, str]:
    """Return the plots of a tested run by name.

    Args:
        rows: the metrics of each epoch.
        figures: what `dogmood.lab.evaluation.evaluate` returned.
    """
    return {
        "curves": curves(rows),
        "confusion": confusion(figures["confusion"], figures["emotions"]),
        "reliability": reliability(figures),
        "risk-coverage": risk_coverage(figures["risk-coverage"]),
    }


def curves(rows: Sequence[EpochMetrics]) -> str:
    """Draw accuracy and loss by epoch, in training and on validation."""
    figure = Figure((8.2, 3.4), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    epochs = [row.epoch for row in rows]
    dots = "o" if len(rows) < 30 else ""
    for axes, name in ((accuracy, "accuracy"), (loss, "loss")):
        for part, line, colour, label in (
            ("train", "--", GREY, "training, augmented crops"),
            ("valid", "-", BLUE, "validation, middle crop"),
        ):
            values = [getattr(row, f"{part}_{name}") for row in rows]
            axes.plot(epochs, values, line, marker=dots, ms=3, color=colour, label=label)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    accuracy.set_ylabel("accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    loss.set_ylabel("cross-entropy (nats)")
    loss.legend(frameon=False)
    return svg_text(figure)


def confusion(counts: Sequence[Sequence[int]], emotions: Sequence[str]) -> str:
    """Draw a confusion matrix: rows are labels, columns readings, shades shares of the row."""
    table = np.array(counts)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = Figure(SIZE, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column,
            row,
            f"{table[row, column]}\n{share:.0%}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if share > 0.55 else "black",
        )
    axes.set_xticks(range(len(emotions)), emotions, rotation=20)
    axes.set_yticks(range(len(emotions)), emotions)
    axes.set_xlabel("reading")
    axes.set_ylabel("label")
    bar = figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label("share of the label's photos")
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return svg_text(figure)


def reliability(figures: dict[str, Any]) -> str:
    """Draw accuracy against confidence, before and after temperature."""
    figure = Figure(SIZE, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color=GREY, label="calibrated")
    for when, style, colour, ece in (
        ("before", "s--", ORANGE, figures["ECE before"]["value"]),
        ("after", "o-", BLUE, figures["ECE"]["value"]),
    ):
        bins = figures["reliability"][when]
        label = f"{when} temperature, ECE {ece:.3f}"
        confidence, accuracy = ([b[name] for b in bins] for name in ("confidence", "accuracy"))
        axes.plot(confidence, accuracy, style, color=colour, ms=4, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence (mean of a bin)")
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False, loc="upper left")
    axes.grid(alpha=0.3)
    return svg_text(figure)


def risk_coverage(curve: dict[str, Any]) -> str:
    """Draw the accuracy over the most confident share of photos."""
    figure = Figure(SIZE, layout="constrained")
    axes = figure.subplots()
    axes.plot(curve["coverage"], curve["accuracy"], drawstyle="steps-pre", color=BLUE)
    axes.set_xlabel("coverage: share of photos answered, most confident first")
    axes.set_ylabel("accuracy over those")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlim(0, 1)
    axes.set_ylim(min(0.5, *curve["accuracy"]), 1.02)
    axes.grid(alpha=0.3)
    return svg_text(figure)


def regions(attention: Mapping[str, Any]) -> str:
    """Draw which share of each emotion's map falls on which part of the photo.

    Args:
        attention: what `dogmood.lab.explain.attention.attention_figures` returned.
    """
    rows = {label: of["shares"] for label, of in attention.items() if label != "all"}
    rows["every cell alike"] = attention["all"]["even"]
    figure = Figure((8.2, 1.4 + 0.42 * len(rows)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for region, (colour, hatch) in _REGION_STYLES.items():
        values = np.array([of[region]["value"] or 0.0 for of in rows.values()])
        name = region.replace("_", " ")
        bars = axes.barh(list(rows), values, left=left, color=colour, hatch=hatch, edgecolor="white", label=name)
        numbers = [f"{value:.0%}" if value >= 0.04 else "" for value in values]
        ink = "white" if colour in (BLUE, GREY) else "black"
        plate = {"facecolor": colour, "edgecolor": "none", "pad": 1}
        axes.bar_label(bars, numbers, label_type="center", fontsize=8, color=ink, bbox=plate)
        left += values
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of the emotion's map, mean over the photos with that label")
    figure.legend(loc="outside upper center", ncols=len(_REGION_STYLES), frameon=False, fontsize=8)
    return svg_text(figure)


def sweep(rows: Sequence[Row]) -> str:
    """Draw validation and ten-crop test accuracy of every value, with the spread over seeds."""
    figure = Figure((7.0, 1.2 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    at = np.arange(len(rows))
    _dots(axes, at - 0.12, [(row.valid, row.valid_spread) for row in rows], "s", ORANGE, "validation")
    _dots(axes, at + 0.12, [(row.test, row.test_spread) for row in rows], "o", BLUE, "ten-crop test")
    axes.set_yticks(at, [row.value for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    several = any(row.seeds > 1 for row in rows)
    axes.set_xlabel("accuracy" + (" (mean and standard deviation over seeds)" if several else ""))
    axes.grid(alpha=0.3, axis="x")
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return svg_text(figure)


def _dots(
    axes: Axes, at: Any, values: Sequence[tuple[float, float | None]], marker: str, colour: str, label: str
) -> None:
    means = [mean for mean, _ in values]
    spreads = [spread or 0.0 for _, spread in values]
    axes.errorbar(means, at, xerr=spreads, fmt=marker, color=colour, ms=5, capsize=2, label=label)


def svg_text(figure: Figure) -> str:
    """Return a figure as SVG text that a page can hold; the same figure gives the same text."""
    out = io.StringIO()
    # No date and no random ids: the same figures give the same file.
    with mpl.rc_context({"svg.hashsalt": "dogmood", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
