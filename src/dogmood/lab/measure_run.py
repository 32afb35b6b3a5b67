"""Test a run: ten-crop answers to its test photos, figures, plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dogmood.atomic import atomic_write
from dogmood.lab import LabError, plots
from dogmood.lab.evaluation import accuracy, evaluate
from dogmood.lab.run import Run
from dogmood.lab.ten_crop import predict_run


def measure_run(run: Run, cache: Path, data: str | None = None) -> dict[str, Any]:
    """Measure a run's best network and keep the figures in its folder.

    Calibration is fitted on the validation photos, everything is measured on the test
    photos; both are answered by ten-crop averaging.  Of training photos, the middle crop
    is answered: they are many, and their accuracy only says how well they were learnt.

    Args:
        run: a run that has finished an epoch.
        cache: where cut photos are kept.
        data: where the photos are now, if not where the run's settings say.

    Returns:
        What ``test.json`` holds: see `evaluate`; as ``other splits`` accuracy on the
        training and the validation photos (`dogmood.lab.intervals.Figure`); as ``weights``
        the checksum of the network that was measured.

    Raises:
        LabError: the data or the weights are absent or have changed.
        UsageError: the folder cannot be written to.
    """
    photos = run.photos(data)
    weights = run.weights_sha256()
    train, valid, test = (
        predict_run(run, photos[split], cache, ten=split != "train") for split in ("train", "valid", "test")
    )
    if run.weights_sha256() != weights:
        raise LabError(f"{run.folder} was trained on while it was tested: run `dogmood test {run.folder}` again.")
    figures = {
        **evaluate(valid, test, run.settings.emotions),
        "other splits": {"train": accuracy(train), "valid": accuracy(valid)},
        "data": {"manifest.csv": run.data_sha256, "split": "test"},
        "weights": {"best.safetensors": weights},
        "photos": [
            {"photo": photo.name, "label": photo.label, "logits": [round(float(x), 4) for x in logits]}
            for photo, logits in zip(photos["test"], test.logits, strict=True)
        ],
    }
    for name, svg in plots.of_run(run.metrics(), figures).items():
        with _plot(run.folder, name) as file:
            file.write(svg)
    # Last, since a run counts as tested when this file is there.
    with atomic_write(run.folder / "test.json", text=True) as file:
        json.dump(figures, file, indent=1)
    return figures


def _plot(folder: Path, name: str) -> Any:
    (folder / "plots").mkdir(exist_ok=True)
    return atomic_write(folder / "plots" / f"{name}.svg", text=True)
