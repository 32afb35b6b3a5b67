"""A run's folder: what it was made with, how it went, and the weights it reached.

``run.json`` settings, versions, the data's checksum · ``metrics.csv`` a row an epoch ·
``tensorboard/`` the same · ``last.safetensors`` where training stands ·
``best.safetensors`` the network with the best validation accuracy ·
``test.json``, ``plots/``, ``report.html`` what ``dogmood test`` and ``report`` made
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dogmood import __version__
from dogmood.atomic import atomic_write, clear_leftovers
from dogmood.errors import plainly
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.locking import LOCK, alone_in
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.registry import build
from dogmood.lab.settings import RunSettings, settings_of

FORMAT = 1
"""Version of the folder's layout; another one is refused."""

_MEASURED = {
    "accuracy", "macro F1", "ECE before", "ECE", "Brier", "log loss", "temperature", "n", "emotions", "confusion",
    "by emotion", "reliability", "risk-coverage", "photos",
}  # fmt: skip
"""What every ``test.json`` holds."""


@dataclass(frozen=True)
class EpochMetrics:
    """A row of ``metrics.csv``; accuracies in [0, 1], losses in nats."""

    epoch: int
    rate: float
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float
    photos_per_second: float


class Run:
    """The folder of one training run.

    Args:
        folder: where it is; see `create` and `open` for how to come by one.
        settings: every parameter of the run.
        data_sha256: checksum of the manifest it was made from.
    """

    def __init__(self, folder: Path, settings: RunSettings, data_sha256: str) -> None:
        self.folder = folder
        self.settings = settings
        self.data_sha256 = data_sha256

    @classmethod
    def create(cls, folder: Path, settings: RunSettings) -> Run:
        """Begin a run.

        Raises:
            LabError: the folder holds something already or cannot be made, or
                there is no data, or too little of it.
        """
        data_sha256 = _data_checksum(settings)
        # Looked at before anything is made: a start that fails leaves no folder behind.
        photos_by_split(Path(settings.data), settings.emotions)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            clear_leftovers(folder)  # of a run that was killed as it began
            _refuse_used(folder)
        except OSError as error:
            raise LabError(f"The folder {folder} cannot be made: {error.strerror}; give another --out.") from None
        facts = {
            "format": FORMAT,
            "dogmood": __version__,
            "torch": torch.__version__,
            "settings": settings.to_dict(),
            "data": {"manifest.csv": data_sha256},
        }
        with alone_in(folder):
            _refuse_used(folder)  # another run may have begun just now
            with atomic_write(folder / "run.json", text=True) as file:
                json.dump(facts, file, indent=1)
        return cls(folder, settings, data_sha256)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Open a run's folder.

        Raises:
            LabError: it is none, or one of another version.
        """
        try:
            facts = json.loads((folder / "run.json").read_text())
            version = facts["format"]
            given, data = dict(facts["settings"]), str(facts["data"]["manifest.csv"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise LabError(f"{folder} is no folder of a run: run.json is absent or damaged.") from None
        if version != FORMAT:
            raise LabError(
                f"{folder} was made by dogmood {facts.get('dogmood')}, whose runs (format {version}) this version "
                f"(format {FORMAT}) cannot read; use that version, or train anew: dogmood train --data DATA, with the "
                f"settings that {folder / 'run.json'} names."
            )
        try:
            return cls(folder, settings_of(given), data)
        except (TypeError, ValueError, AttributeError) as error:  # a setting of another type
            raise LabError(f"{folder} is no folder of a run: run.json is damaged ({plainly(error)}).") from None

    def photos(self, data: str | None = None) -> dict[str, list[LabelledPhoto]]:
        """Return the labelled photos that the run is about, by split.

        Args:
            data: where they are now, if not where the settings say.

        Raises:
            LabError: the manifest has changed, or a split lacks photos.
        """
        folder = Path(data or self.settings.data)
        if checksum(folder) != self.data_sha256:
            raise LabError(f"{folder / 'manifest.csv'} is not the one that {self.folder} was made from.")
        return photos_by_split(folder, self.settings.emotions)

    def network(self) -> EmotionNet:
        """Return the network with the best validation accuracy, ready to answer.

        Raises:
            LabError: the run has not got that far, or the file is damaged or another network's.
        """
        settings = self.settings
        net = build(settings.network, len(settings.emotions), pretrained=False)
        tensors, _ = load_tensors(self.folder / "best.safetensors")
        try:
            net.load_state_dict(tensors)
        except RuntimeError:
            raise LabError(
                f"{self.folder / 'best.safetensors'} holds another network than run.json names: "
                f"put the run's own back, or train anew with --from-run {self.folder}."
            ) from None
        return net.eval()

    def weights_sha256(self) -> str:
        """Return the checksum of the network with the best validation accuracy.

        Raises:
            LabError: the run has not got that far.
        """
        path = self.folder / "best.safetensors"
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise _no_epoch_yet(path) from None
        except OSError as error:
            raise LabError(f"{path} cannot be opened: {error.strerror}.") from None

    def figures(self) -> dict[str, Any]:
        """Return what ``test.json`` holds: what `dogmood.lab.measure_run.measure_run` found.

        Raises:
            LabError: the network that is here now has not been tested, or the file is damaged.
        """
        path = self.folder / "test.json"
        if not path.exists():
            raise LabError(f"{self.folder} has not been tested: run `dogmood test {self.folder}` first.")
        try:
            figures = json.loads(path.read_text())
        except (OSError, ValueError, RecursionError):
            figures = None
        if not isinstance(figures, dict) or not figures.keys() >= _MEASURED:
            raise self.damaged_figures()
        accuracy = figures["accuracy"]
        if not isinstance(accuracy, dict) or not isinstance(accuracy.get("value"), int | float):
            raise self.damaged_figures()
        measured = figures.get("weights")  # tests of earlier versions lack it
        if isinstance(measured, dict) and measured.get("best.safetensors") != self.weights_sha256():
            raise LabError(
                f"{self.folder} has another network than the one that was tested: "
                f"run `dogmood test {self.folder}` again."
            )
        return figures

    def damaged_figures(self) -> LabError:
        """Return what to say where ``test.json`` is not as it was written."""
        return LabError(f"{self.folder / 'test.json'} is damaged: run `dogmood test {self.folder}` again.")

    def rows(self) -> list[EpochMetrics]:
        """Return the metrics of every epoch, of which there is at least one.

        Raises:
            LabError: there is none, or the file is damaged.
        """
        rows = self.metrics()
        if not rows:
            raise LabError(
                f"{self.folder / 'metrics.csv'} holds no epoch: dogmood train --resume {self.folder} writes it anew."
            )
        return rows

    def metrics(self) -> list[EpochMetrics]:
        """Return what `metrics.csv` holds, in order; nothing before the first epoch.

        Raises:
            LabError: it is damaged.
        """
        names = [field.name for field in fields(EpochMetrics)][1:]
        try:
            with (self.folder / "metrics.csv").open(newline="") as file:
                return [
                    EpochMetrics(int(row["epoch"]), *(float(row[name]) for name in names))
                    for row in csv.DictReader(file)
                ]
        except FileNotFoundError:
            return []
        except (KeyError, TypeError, ValueError, csv.Error):
            raise LabError(
                f"{self.folder / 'metrics.csv'} is damaged: dogmood train --resume {self.folder} writes it anew."
            ) from None

    def write_metrics(self, rows: list[EpochMetrics]) -> None:
        """Write `metrics.csv` anew: complete whenever somebody looks."""
        with atomic_write(self.folder / "metrics.csv", text=True) as file:
            table = csv.DictWriter(file, [field.name for field in fields(EpochMetrics)])
            table.writeheader()
            table.writerows(asdict(row) for row in rows)


def photos_by_split(folder: Path, emotions: tuple[str, ...]) -> dict[str, list[LabelledPhoto]]:
    """Return the photos of each split that show one of the emotions and whose label was checked.

    Raises:
        LabError: a split is empty, or an emotion has no photo to learn from.
    """
    splits: dict[str, list[LabelledPhoto]] = {"train": [], "valid": [], "test": []}
    for photo in read_manifest(folder):
        if photo.label in emotions and photo.tier != "web" and photo.split in splits:
            splits[photo.split].append(photo)
    for name, photos in splits.items():
        if not photos:
            raise LabError(f"The split {name!r} of {folder} has no photos; make splits with `dogmood data split`.")
    for emotion in emotions:
        if not any(photo.label == emotion for photo in splits["train"]):
            raise LabError(f"No training photo of {folder} shows {emotion}; leave it out with --emotions.")
    return splits


def save_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and JSON facts to a safetensors file; an older one survives a failure.

    Raises:
        UsageError: the file cannot be written; the older one is still there.
    """
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(held, {"facts": json.dumps(facts)})
    with atomic_write(path) as file:
        file.write(data)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        LabError: the file is absent or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["facts"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except FileNotFoundError:
        raise _no_epoch_yet(path) from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise LabError(f"{path} is damaged.") from None


def _no_epoch_yet(path: Path) -> LabError:
    return LabError(f"{path} does not exist: the run has not finished an epoch; go on with --resume.")


def _refuse_used(folder: Path) -> None:
    # A run.json alone is what a run leaves that was stopped before its first step: nothing is lost.
    if any(entry.name not in (LOCK, "run.json") for entry in folder.iterdir()):
        raise LabError(f"{folder} is not empty: go on with --resume {folder}, or give another --out.")


def _data_checksum(settings: RunSettings) -> str:
    folder = Path(settings.data)
    if not (folder / "manifest.csv").is_file():
        raise LabError(f"{folder} holds no manifest.csv: make one with `dogmood data import`.")
    return checksum(folder)
