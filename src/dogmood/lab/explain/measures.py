"""What is measured of one photo: numbers that JSON can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dogmood.boxes import Box
from dogmood.classifier import Evidence
from dogmood.lab.explain.localise import energy_inside, gaussian, gaussian_in_views, points_into, shuffled
from dogmood.lab.explain.occlusion import mean_in_parts, occlusion_map, rise_map
from dogmood.lab.explain.removal import area_under, blanked, blurred, removal_curves
from dogmood.lab.explain.sanity import rank_correlation
from dogmood.lab.explain.subject import Map, Model, Subject
from dogmood.photo import Pixels
from dogmood.regions import REGIONS, divide, shares_of
from dogmood.saliency import densities

BASELINES = ("random", "Gaussian in the photo", "Gaussian in each view")
MAPS = ("map", "fine map", *BASELINES)
"""The maps under test and the baselines: see `maps_of`."""

HIDDEN = (*REGIONS, "whole dog", "backdrop, filled")
"""What is hidden: blurred beyond recognition, but for the last, which is filled with one colour."""


def maps_of(subject: Subject, closer: Sequence[Evidence], seed: int = 0) -> dict[str, Map]:
    """Return the subject's map, quick and fine, and three that know nothing of the dog's emotion.

    ``random`` is the map itself with its cells in a random order; the Gaussians lie in
    the middle of the photo, and in the middle of body and head as the finder saw them.

    Args:
        subject: the model's answer to a photo.
        closer: what closer crops say, for the fine map.
        seed: of the random order.
    """
    evidence, (width, height) = subject.evidence, subject.size
    mixed = Evidence(evidence.squares, shuffled(evidence.maps, np.random.default_rng(seed)))
    saliency, random, fine = (subject.map_of(one) for one in ([evidence], [mixed], [evidence, *closer]))
    views = gaussian_in_views(evidence.squares, width, height)
    return dict(zip(MAPS, (saliency, fine, random, gaussian(*saliency.shape), views), strict=True))


def where(model: Model, subject: Subject, exact: NDArray[np.uint8] | None, head: Box | None) -> dict[str, Any]:
    """Return where the maps lie on an annotated photo.

    Args:
        model: the model.
        subject: its answer to the photo.
        exact: ``(h, w)``: 1 = dog, 2 = background, 3 = edge, which is not counted; or None.
        head: the true head box; or None.
    """
    maps = maps_of(subject, model.look_closer(subject))
    row: dict[str, Any] = {}
    if exact is not None:
        rows, columns = subject.saliency.shape
        fitted = np.asarray(Image.fromarray(exact).resize((columns, rows), Image.Resampling.NEAREST))
        inside, counted = fitted == 1, fitted != 3
        row["area"] = float(inside.sum() / counted.sum())
        row["energy"] = {name: energy_inside(one, inside, counted) for name, one in maps.items()}
    if head is not None:
        row["in head"] = {name: float(points_into(one, head, *subject.size)) for name, one in maps.items()}
    return row


def faith(model: Model, subject: Subject, rise_masks: int = 0) -> dict[str, Any]:
    """Return how well the maps foretell what the classifier does when the photo is changed."""
    pixels, shown = subject.probe.pixels, subject.probe.shown()
    maps = maps_of(subject, model.look_closer(subject))
    blank, blur = blanked(pixels), blurred(pixels, shown)
    deleted = area_under(removal_curves(subject.probability, pixels, blank, list(maps.values()), shown))
    inserted = area_under(removal_curves(subject.probability, blur, pixels, list(maps.values()), shown))
    hidden = occlusion_map(subject.margin, pixels, blank, shown)
    row = {
        "deletion": dict(zip(maps, deleted.tolist(), strict=True)),
        "insertion": dict(zip(maps, inserted.tolist(), strict=True)),
        "occlusion": {
            name: rank_correlation(hidden, mean_in_parts(one, *subject.size, shown)) for name, one in maps.items()
        },
        "randomised": _alike(subject, model.look_without_knowledge(subject)),
    }
    if rise_masks:
        rise = rise_map(subject.margin, pixels, blank, shown, rise_masks)
        size = rise.shape[1], rise.shape[0]
        row["RISE"] = {
            name: rank_correlation(
                rise, np.asarray(Image.fromarray(subject.in_shown(one)).resize(size, Image.Resampling.BILINEAR))
            )
            for name, one in maps.items()
        }
    return row


def _alike(subject: Subject, others: list[Evidence]) -> dict[str, float]:
    """Return how alike the map and randomised networks' maps are, by Spearman's rank correlation.

    ``in each view`` compares what the cells of a view say.  ``as shown`` compares the
    maps as readings show them; there one view may be brighter than another as a whole,
    in one network by chance as in the other.
    """
    index = subject.emotions.index(subject.emotion)
    ours = subject.centred(subject.evidence)
    in_views = [
        rank_correlation(one[index], other[index])
        for evidence in others
        for one, other in zip(ours, subject.centred(evidence), strict=True)
    ]
    shown = subject.in_shown(subject.saliency)
    as_shown = [rank_correlation(shown, subject.in_shown(subject.map_of([evidence]))) for evidence in others]
    return {"in each view": _mean(in_views), "as shown": _mean(as_shown)}


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def attention(subject: Subject, label: str) -> dict[str, Any]:
    """Return which parts spoke for a photo's label, and what hiding each part does to the reading.

    ``shares`` are of the label's map, ``even`` those of a map that speaks evenly from
    every cell; ``falls`` is by how much the probability of the emotion that was read
    falls when a part is hidden, ``read`` what is read then.
    """
    dog, (width, height) = subject.probe.dog, subject.size
    regions = divide(subject.saliency.shape, width, height, dog, subject.mask)
    flat = np.zeros_like(subject.evidence.maps)
    flat[:, 0] = 1
    even = np.maximum(densities([Evidence(subject.evidence.squares, flat)], width, height, with_alike=True)[0], 0)
    shares = shares_of({"shares": subject.map_of([subject.evidence], label), "even": even}, regions)
    logits = subject.probe.ask([subject.probe.pixels, *_hidden(subject)])[0]
    probability = subject.calibrated(logits)
    return {
        "label": label,
        "head found": dog.head is not None,
        **shares,
        "read": subject.emotion,
        "falls": dict(zip(HIDDEN, (probability[0] - probability[1:]).tolist(), strict=True)),
        "read without": dict(zip(HIDDEN, map(subject.read, logits[1:]), strict=True)),
    }


def _hidden(subject: Subject) -> list[Pixels]:
    """Return the photo with each of `HIDDEN` hidden."""
    pixels, (width, height) = subject.probe.pixels, subject.size
    parts = list(divide((height, width), width, height, subject.probe.dog, subject.mask) > 0)
    backdrop = parts[REGIONS.index("backdrop")]
    blur = blurred(pixels, subject.probe.shown())
    photos = [np.where(part[..., None], blur, pixels) for part in (*parts, ~backdrop)]
    return [*photos, np.where(backdrop[..., None], blanked(pixels), pixels)]
