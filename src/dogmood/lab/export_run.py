"""From a run to a model file: the run's network beside a shipped finder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dogmood import __version__
from dogmood.atomic import clear_leftovers
from dogmood.bundle import Bundle, Network, open_bundle, write_bundle
from dogmood.card import Settings, read_settings
from dogmood.classifier import ClassifierSettings, View
from dogmood.doubt import softmax
from dogmood.emotions import EMOTIONS
from dogmood.lab import LabError
from dogmood.lab.augment import middle_crop
from dogmood.lab.calibrate import fit_doubt
from dogmood.lab.cuts import CUTS, FINDER, Cutting, cut_photos
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.evaluation import NEVER
from dogmood.lab.export import to_onnx
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.heads import Answer
from dogmood.lab.nets.registry import NetSpec, spec
from dogmood.lab.run import Run

PARITY = 1e-4
"""The largest difference in probability between torch and the exported file."""

PARITY_PHOTOS = 100
_LUMA = (0.299, 0.587, 0.114)
"""ITU-R 601-2, with which the lab's grey pictures are made."""


class ReadingNet(nn.Module):
    """A lab network behind the door that the reading side knows.

    Takes ``(n, 1, 3, side, side)`` RGB in [0, 1]; returns five logits in the order of
    `EMOTIONS` and maps ``(n, 1, 5, rows, columns)``.

    Args:
        net: the trained network.
        grey: whether it takes grey pictures.
        emotions: those that its outputs stand for.
    """

    luma: Tensor
    places: Tensor
    absent: Tensor

    def __init__(self, net: EmotionNet, grey: bool, emotions: tuple[str, ...]) -> None:
        super().__init__()
        self.net = net
        self.grey = grey
        places = torch.zeros(len(emotions), len(EMOTIONS))
        for i, emotion in enumerate(emotions):
            places[i, EMOTIONS.index(emotion)] = 1.0
        self.register_buffer("luma", torch.tensor(_LUMA)[:, None, None])
        self.register_buffer("places", places)
        self.register_buffer("absent", NEVER * (1 - places.sum(dim=0)))

    def forward(self, pixels: Tensor) -> Answer:
        """Return logits and maps."""
        view = pixels[:, 0]
        if self.grey:
            view = (view * self.luma).sum(dim=1, keepdim=True)
        answer = self.net.answer(view)
        maps = torch.einsum("nkhw,ke->nehw", answer.maps, self.places)
        return Answer(answer.logits @ self.places + self.absent, maps[:, None])


@dataclass(frozen=True)
class Exported:
    """A model file that was written.

    Attributes:
        path: where it is.
        difference: the largest difference in probability from torch.
        photos: on how many photos.
    """

    path: Path
    difference: float
    photos: int


def export_run(run: Run, out: Path, cache: Path, version: str = "1", data: str | None = None) -> Exported:
    """Write the run's best network as a model file for ``dogmood read --model``.

    Weights are kept in float32.  The doubt is fitted on the run's validation photos,
    as a reading sees them.

    Args:
        run: a run that has finished an epoch.
        out: the ``.dogmood`` file to be.
        cache: where cut photos are kept.
        version: what the file shall call its version.
        data: where the photos are now, if not where the run's settings say.

    Raises:
        LabError: the exported network differs from torch; nothing is written.
        UsageError: the file cannot be written.
    """
    settings = run.settings
    clear_leftovers(out.parent, out.name)
    known = spec(settings.network)
    photos = run.photos(data)
    net = ReadingNet(run.network(), known.channels == 1, settings.emotions).eval()
    example = torch.rand(2, 1, 3, known.side, known.side)
    graph = to_onnx(net, example, ("logits", "maps"), {0: "n"}, storage="full")

    valid = _views(photos["valid"], run, known, cache)
    some = (photos["valid"] + photos["test"] + photos["train"])[:PARITY_PHOTOS]
    difference = _difference(Network(graph), net, _views(some, run, known, cache))
    if not difference < PARITY:
        raise LabError(
            f"The exported network differs from torch by {difference:.2g} in probability, {PARITY:.0e} at most "
            "is allowed; nothing was written."
        )
    logits = torch.cat([_torch_logits(net, batch) for batch in torch.split(valid, 32)]) @ net.places.T
    labels = np.array([settings.emotions.index(photo.label) for photo in photos["valid"]], np.intp)
    doubt = fit_doubt(logits.numpy().astype(np.float64), labels, settings.emotions)
    shipped = open_bundle(FINDER)
    view = CUTS[settings.cut]
    # A reading sees the middle of what the run's crops were cut from.
    seen = ClassifierSettings(known.side, (View(view.of, view.expand * known.side / known.frame),))
    card = {
        "name": out.stem,
        "version": version,
        "labels": list(EMOTIONS),
        "emotions": list(settings.emotions),
        **Settings(read_settings(shipped.card).finder, seen, doubt).to_card(),
        "made": _made(run, shipped),
    }
    write_bundle(out, card, shipped.finder, graph)
    return Exported(out, difference, len(some))


def _made(run: Run, finder: Bundle) -> dict[str, Any]:
    return {
        "by": f"dogmood {__version__}",
        "run": run.settings.to_dict(),
        "data": {"manifest.csv": run.data_sha256},
        "finder": {"name": finder.name, "version": finder.version, "sha256": finder.sha256},
    }


def _views(photos: list[LabelledPhoto], run: Run, known: NetSpec, cache: Path) -> Tensor:
    """Return ``(n, 1, 3, side, side)`` in [0, 1]: what a reading shows of each photo."""
    pictures = cut_photos(photos, Cutting(CUTS[run.settings.cut], known.frame, 3), cache)
    return middle_crop(torch.from_numpy(np.array(pictures)), known.side)[:, None].float() / 255


@torch.inference_mode()
def _torch_logits(net: ReadingNet, batch: Tensor) -> Tensor:
    logits: Tensor = net(batch).logits
    return logits


def _difference(network: Network, net: ReadingNet, views: Tensor) -> float:
    differences = []
    for view in torch.split(views, 1):  # one by one, as a reading does
        ours = softmax(network(view.numpy())[0].astype(np.float64))
        theirs = softmax(_torch_logits(net, view).numpy().astype(np.float64))
        differences.append(np.abs(ours - theirs).max())
    return float(np.max(differences))  # nan where a network answers with what is no number
