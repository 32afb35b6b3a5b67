"""Whether a model's maps tell the truth: every measure over held-out photos, with intervals.

On the pet photos with an exact mask or a head box (test split): energy on the dog and
the pointing game.  On a sample of the emotion photos (test split): deletion, insertion,
agreement with occlusion, and the randomised network.  On all of them: which parts spoke
for each emotion, and what hiding a part does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dogmood.bundle import open_bundle
from dogmood.lab import LabError
from dogmood.lab.data.manifest import LabelledPhoto, checksum, read_manifest
from dogmood.lab.data.pets import PetPhoto, read_pets
from dogmood.lab.explain.attention import attention_figures
from dogmood.lab.explain.figures import BETTER, mean_over_kinds
from dogmood.lab.explain.journal import Journal, Row
from dogmood.lab.explain.measures import BASELINES, MAPS, attention, faith, where
from dogmood.lab.explain.subject import Model
from dogmood.lab.intervals import mean_with_interval

MEASURES = 3
"""Version of what is measured: work kept by another one is done again."""


@dataclass(frozen=True)
class Plan:
    """What to measure on.

    Attributes:
        data: the folder that holds ``emotions`` and ``finder``.
        split: ``test``, or ``valid`` while something is still being chosen.
        photos: how many emotion photos are changed again and again; all others are
            only read.
        seed: of their choice.
        rise: random masks for the agreement with RISE; 0 leaves it out.
    """

    data: Path
    split: str = "test"
    photos: int = 60
    seed: int = 0
    rise: int = 0


def explain_test(name: str | Path, plan: Plan, work: Path) -> dict[str, Any]:
    """Measure a model file.

    Args:
        name: a shipped model's name, or a ``.dogmood`` file.
        plan: what to measure on.
        work: where finished photos are kept, so that a run which was stopped goes on.

    Raises:
        ModelError: the model is absent, damaged or foreign.
        LabError: the data are absent.
        UsageError: ``work`` cannot be written to.
    """
    bundle = open_bundle(name)
    model = Model(bundle)
    data = {
        "emotions/manifest.csv": checksum(plan.data / "emotions"),
        "finder/index.csv": checksum(plan.data / "finder", "index.csv"),
    }
    journal = Journal(work, [MEASURES, bundle.sha256, data, plan.rise])
    pets = _pets(plan)
    photos = [photo for photo in _photos(plan) if photo.label in model.emotions]
    if not pets or not photos:
        raise LabError(f"{plan.data} has no annotated dogs or no labelled photos in the split {plan.split!r}.")
    some = sample(photos, plan.photos, plan.seed)

    located = journal.each(
        "Where maps lie",
        pets,
        lambda pet: pet.name,
        lambda pet: where(model, model.look(pet.path), pet.mask(), pet.head),
    )
    tested = journal.each(
        "Changing photos", some, _name_of, lambda photo: faith(model, model.look(photo.path), plan.rise)
    )
    looked = journal.each("Parts", photos, _name_of, lambda photo: attention(model.look(photo.path), photo.label))
    return {
        "model": {"name": bundle.name, "version": bundle.version, "sha256": bundle.sha256},
        "data": {**data, "split": plan.split, "photos changed": len(some), "seed": plan.seed},
        "where": where_figures(located, [pet.name for pet in pets]),
        "faith": faith_figures(tested, [photo.block for photo in some]),
        "attention": attention_figures(looked, [photo.block for photo in photos]),
    }


def sample(photos: Sequence[LabelledPhoto], count: int, seed: int) -> list[LabelledPhoto]:
    """Return so many photos by chance; a larger sample of the same seed holds the smaller one."""
    order = np.random.default_rng(seed).permutation(len(photos))
    return [photos[i] for i in order[:count]]


def where_figures(rows: Sequence[Row], groups: Sequence[str]) -> dict[str, Any]:
    """Return energy on the dog and the pointing game, of each map, with intervals.

    Args:
        rows: what `where` says, one a photo.
        groups: the photos' names, which begin with the breed.
    """
    figures: dict[str, Any] = {}
    for key, of in (("energy", "energy on the dog"), ("in head", "strongest in the head box")):
        kept = [i for i, row in enumerate(rows) if key in row]
        if kept:
            inside = [groups[i] for i in kept]
            figures[of] = {name: mean_with_interval([rows[i][key][name] for i in kept], inside) for name in MAPS}
    masked = [i for i, row in enumerate(rows) if "area" in row]
    if masked:
        # Most of the exact masks are of one breed.
        breeds = [groups[i].rsplit("_", 1)[0] for i in masked]
        figures["energy on the dog, mean over breeds"] = {
            name: mean_over_kinds([rows[i]["energy"][name] for i in masked], breeds) for name in MAPS
        }
        figures["area of the dog"] = mean_with_interval([rows[i]["area"] for i in masked], [groups[i] for i in masked])
    return figures


def faith_figures(rows: Sequence[Row], groups: Sequence[str]) -> dict[str, Any]:
    """Return deletion, insertion, agreement and the sanity check, with intervals.

    Beside each baseline stands ``map is better by``: the mean difference photo by photo.
    """
    figures: dict[str, Any] = {}
    for key, better in (("deletion", -1), ("insertion", 1), ("occlusion", 1), ("RISE", 1)):
        if key not in rows[0]:
            continue
        values = {name: np.array([row[key][name] for row in rows], float) for name in MAPS}
        figures[key] = {name: mean_with_interval(of, groups) for name, of in values.items()}
        for name in BASELINES:
            gain = better * (values["map"] - values[name])
            figures[key][name][BETTER] = mean_with_interval(gain, groups)
    ways = ("in each view", "as shown")
    figures["randomised"] = {way: mean_with_interval([row["randomised"][way] for row in rows], groups) for way in ways}
    return figures


def _pets(plan: Plan) -> list[PetPhoto]:
    pets = read_pets(plan.data / "finder")
    return [p for p in pets if p.kind == "dog" and p.split == plan.split and (p.mask_path or p.head)]


def _photos(plan: Plan) -> list[LabelledPhoto]:
    photos = read_manifest(plan.data / "emotions")
    return [photo for photo in photos if photo.split == plan.split and photo.tier != "web"]


def _name_of(photo: LabelledPhoto) -> str:
    return photo.name
