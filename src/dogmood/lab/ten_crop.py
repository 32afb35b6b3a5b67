"""A trained run's answers, averaged over ten crops of each photo."""

from __future__ import annotations

from pathlib import Path

import torch

from dogmood.lab.augment import middle_crop, ten_crops
from dogmood.lab.data.manifest import LabelledPhoto
from dogmood.lab.devices import best_device, within_memory
from dogmood.lab.emotion_metrics import Predictions
from dogmood.lab.nets.emotion_net import EmotionNet
from dogmood.lab.nets.registry import spec
from dogmood.lab.pictures import Pictures, load_pictures
from dogmood.lab.progress import track
from dogmood.lab.run import Run

BATCH = 32


def predict_run(run: Run, photos: list[LabelledPhoto], cache: Path, ten: bool = True) -> Predictions:
    """Return the best network's logits for labelled photos.

    Args:
        run: a run that has finished an epoch.
        photos: those to answer.
        cache: where cut photos are kept.
        ten: average the logits of ten crops (corners, middle, mirrored), as in
            Khaireddin & Chen 2021; else the middle crop's.

    Returns:
        Logits ``(n, emotions of the run)``; labels index into those emotions.

    Raises:
        LabError: the weights are absent, or the device has no memory left.
    """
    device = best_device()
    with within_memory():
        pictures = load_pictures(photos, run.settings, cache, device)
        net = run.network().to(device)
        logits = crop_logits(net, pictures, spec(run.settings.network).side, ten)
    return Predictions(logits.numpy(), pictures.labels.cpu().numpy(), [photo.block for photo in photos])


@torch.inference_mode()
def crop_logits(net: EmotionNet, pictures: Pictures, side: int, ten: bool) -> torch.Tensor:
    """Return ``(n, classes)`` float32 logits, on the processor."""
    answers = []
    for chosen in track(torch.split(torch.arange(len(pictures)), BATCH), "Ten crops" if ten else "Middle crops"):
        pixels, _ = pictures.batch(chosen)
        crops = ten_crops(pixels, side) if ten else middle_crop(pixels, side)
        answers.append(net(crops).float().reshape(len(chosen), -1, net.classes).mean(dim=1).cpu())
    return torch.cat(answers)
