"""One page about a run or a sweep, complete in itself: no script, no request."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from PIL import Image

from dogmood import __version__
from dogmood.atomic import atomic_write
from dogmood.lab import LabError, plots
from dogmood.lab.evaluation import OTHER_SPLITS
from dogmood.lab.examples import Mistake, Sample, mistakes_of, samples_of
from dogmood.lab.run import Run
from dogmood.lab.sweep import PLAN
from dogmood.lab.sweep_table import Row
from dogmood.photo import Pixels
from dogmood.picture import coloured, in_grey, overlay

THUMBNAIL = 240
"""Side in pixels of the pictures on a page."""


@dataclass(frozen=True)
class Table:
    """A table of a page; the first column names the rows."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Plot:
    """A plot of a page."""

    caption: str
    svg: str
    wide: bool = False


@dataclass(frozen=True)
class Page:
    """All that a page shows."""

    title: str
    about: str
    tables: Sequence[Table]
    plots: Sequence[Plot]
    mistakes: Sequence[Mistake] = field(default=())
    samples: Sequence[Sample] = field(default=())

    def to_html(self) -> str:
        """Return the page; whatever names hold, they are shown as text."""
        environment = Environment(loader=PackageLoader("dogmood.lab"), autoescape=True)
        mistakes = [{**vars(item), "picture": _inline(item.pixels)} for item in self.mistakes]
        samples = [
            {
                **vars(item),
                "picture": _inline(item.pixels),
                "map": _inline(coloured(item.saliency)),
                "overlay": _inline(overlay(in_grey(item.pixels), item.saliency)),
                "others": {name: _inline(overlay(in_grey(item.pixels), one)) for name, one in item.others.items()},
            }
            for item in self.samples
        ]
        shown = {**vars(self), "mistakes": mistakes, "samples": samples}
        return environment.get_template("report.html.j2").render(shown)


def write_report(folder: Path, cache: Path, data: str | None = None) -> Path:
    """Write ``report.html`` into the folder of a run or a sweep.

    Args:
        folder: a tested run's, or a finished sweep's.
        cache: where cut photos are kept.
        data: where the photos are now, if not where the run's settings say.

    Raises:
        LabError: the folder is neither, or the run has not been tested.
        UsageError: the page cannot be written.
    """
    if (folder / "sweep.json").exists():
        page = sweep_page(folder.name, _rows(folder / "sweep.json"))
    elif (folder / PLAN).exists():
        raise LabError(
            f"The sweep in {folder} is not finished: repeat the `dogmood sweep` that began it, with --out {folder}; "
            "what was done is kept."
        )
    else:
        page = run_page(Run.open(folder), cache, data)
    path = folder / "report.html"
    with atomic_write(path, text=True) as file:
        file.write(page.to_html())
    return path


def run_page(run: Run, cache: Path, data: str | None = None) -> Page:
    """Return the page of a tested run.

    Raises:
        LabError: the run has not been tested, or was trained on since.
    """
    figures = run.figures()
    rows = run.rows()
    best = max(rows, key=lambda row: row.valid_accuracy)
    photos = run.photos(data)["test"]
    try:
        drawn = plots.of_run(rows, figures)
        tables = [_figures_table(figures), _emotions_table(figures), _settings_table(run)]
        mistakes = mistakes_of(run, photos, figures)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise run.damaged_figures() from None
    return Page(
        title=f"{run.settings.network}: a run",
        about=f"dogmood {__version__}; data {run.data_sha256[:12]}; {figures['n']} test photos, ten crops each; "
        f"{len(rows)} epochs, the network of epoch {best.epoch} (validation accuracy {best.valid_accuracy:.2%}).",
        tables=tables,
        plots=[
            Plot("Accuracy and loss by epoch.", drawn["curves"], wide=True),
            Plot("Confusion: rows are labels, columns readings.", drawn["confusion"]),
            Plot("Reliability, 15 bins, before and after temperature.", drawn["reliability"]),
            Plot("Accuracy over the most confident share of photos.", drawn["risk-coverage"]),
        ],
        mistakes=mistakes,
        samples=samples_of(run, photos, figures, cache),
    )


def sweep_page(name: str, rows: Sequence[Row]) -> Page:
    """Return the page of a finished sweep."""
    table = Table(
        "Accuracy",
        "Best validation accuracy and ten-crop test accuracy: mean and standard deviation over seeds.",
        ("value", "validation, %", "ten-crop test, %", "seeds"),
        [row.shown() for row in rows],
    )
    reached = [row for row in rows if row.seeds]
    caption = "Validation and ten-crop test accuracy of every value."
    charts = [Plot(caption, plots.sweep(reached), wide=True)] if reached else []
    return Page(f"{name}: a sweep", f"dogmood {__version__}; {len(rows)} values.", [table], charts)


def _figures_table(figures: Mapping[str, Any]) -> Table:
    names = ("accuracy", "macro F1", "ECE before", "ECE", "Brier")
    rows = [(name, f"{figures[name]['value']:.4f}", _interval(figures[name])) for name in names]
    for split, other in figures.get("other splits", {}).items():  # tests of earlier versions lack it
        rows.append((f"{OTHER_SPLITS[split]} (n {other['n']})", f"{other['value']:.4f}", _interval(other)))
    for when in ("before", "after"):
        rows.append((f"log loss {when} temperature", f"{figures['log loss'][when]:.4f}", ""))
    rows.append(("temperature", f"{figures['temperature']:.3f}", ""))
    rows.append(("its slope with entropy", f"{figures.get('slope', 0.0):.3f}", ""))
    rows.append(("area under risk-coverage", f"{figures['risk-coverage']['area']:.4f}", ""))
    caption = "95 % intervals by bootstrap over groups; temperature fitted on validation photos alone."
    return Table("Figures", caption, ("", "value", "95 % interval"), rows)


def _emotions_table(figures: Mapping[str, Any]) -> Table:
    rows = [
        (
            emotion,
            str(one["n"]),
            *(_with_interval(one[name]) for name in ("precision", "recall", "F1")),
        )
        for emotion, one in figures["by emotion"].items()
    ]
    caption = "Brackets hold 95 % intervals."
    return Table("By emotion", caption, ("emotion", "n", "precision", "recall", "F1"), rows)


def _settings_table(run: Run) -> Table:
    rows = [(name, str(value)) for name, value in run.settings.to_dict().items()]
    return Table("Settings", f"dogmood train --from-run {run.folder} takes them again.", ("setting", "value"), rows)


def _with_interval(figure: Mapping[str, Any]) -> str:
    return "-" if figure["value"] is None else f"{figure['value']:.3f} ({_interval(figure)})"


def _interval(figure: Mapping[str, Any]) -> str:
    low, high = figure["interval"]
    return f"{low:.3f} to {high:.3f}"


def _inline(pixels: Pixels) -> str:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _rows(path: Path) -> list[Row]:
    try:
        held = json.loads(path.read_text())
        rows = [Row.of(row) for row in held] if isinstance(held, list) else []
    except (OSError, ValueError, TypeError, RecursionError):
        rows = []
    if not rows:
        raise LabError(f"{path} is damaged: repeat the `dogmood sweep` that made it.")
    return rows
