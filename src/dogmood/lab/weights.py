"""Make the shipped model files from labelled photos: ``python -m dogmood.lab.weights``.

finder -> dogs -> cuts -> teachers, trained on the labels
                       -> ``base``'s and ``fast``'s classifiers, taught by the mean of their teachers' answers,
                          each the mean of the weights of those that were taught for it
each file: the finder, a classifier, and a card with settings, figures and data checksums

Each step is kept in ``--work``, so that a run which was stopped goes on.  A GPU is used
where there is one: there it is a matter of minutes, on two cores of days.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dogmood import __version__
from dogmood.bundle import Network, open_bundle, write_bundle
from dogmood.card import Settings, read_settings
from dogmood.classifier import Classifier, ClassifierSettings
from dogmood.emotions import EMOTIONS
from dogmood.errors import DogMoodError
from dogmood.finder import Finder, FinderSettings
from dogmood.lab import LabError
from dogmood.lab.calibrate import fit_bias, fit_doubt
from dogmood.lab.data.manifest import checksum
from dogmood.lab.data.originals import originals_to_learn_from
from dogmood.lab.devices import within_memory
from dogmood.lab.dogs import KnownDogs
from dogmood.lab.each import ONE_THREAD
from dogmood.lab.emotion_metrics import Predictions
from dogmood.lab.finder_metrics import eager
from dogmood.lab.finder_photos import finder_sources
from dogmood.lab.make_classifiers import (
    VIEWS,
    Shown,
    Teacher,
    biased,
    export_classifier,
    learnt_folders,
    show,
    soup,
    train_on_labels,
    train_on_teachers,
)
from dogmood.lab.make_finder import FINDER, make_finder, with_thresholds
from dogmood.lab.measure import emotion_figures, predict
from dogmood.lab.nets.dinov2 import DEPTH
from dogmood.lab.presence import weigh_presence
from dogmood.lab.steps import Steps
from dogmood.lab.storage import store
from dogmood.lab.train_classifier import ClassifierTraining
from dogmood.lab.train_finder import FinderTraining

VERSIONS = {"base": "0.9.0", "fast": "0.7.0"}
STORAGE = "int8"

FAST_SIDE = 320
"""The long side that fast's finder looks at: a quarter of its time less than at 384.
Chosen on valid, where emotions are read no worse (docs/RESULTS.md, "What was tried")."""


DINO = ClassifierTraining(backbone="dinov2_s", trained=6, epochs=12, top=0.05, decay=0.8)
DINO_WHOLE = replace(DINO, trained=DEPTH + 1)
"""With all of its blocks, and what turns a picture into tokens before them."""
LITE = ClassifierTraining(epochs=12)
ORIGINALS = 0.08
"""The share of what is drawn that is a picture of the original experiment, where they are learnt from."""


WEIGHED = f"weighed by dogmood {__version__} on photos as they are and worn, and on faces"
"""What a card says of its finder's weights for presence."""


@dataclass(frozen=True)
class Taught:
    """How a file's classifier is trained.

    Attributes:
        teachers: classifiers that learn from the labels; none of them ships.
        networks: classifiers taught by all these teachers.  The mean of their weights
            ships, and looks at what the first of them is shown.
    """

    teachers: Sequence[ClassifierTraining]
    networks: Sequence[ClassifierTraining]

    def trainings(self) -> list[ClassifierTraining]:
        """Return teachers and networks."""
        return [*self.teachers, *self.networks]


FAST_TEACHERS = (*(replace(DINO, seed=seed) for seed in range(3)), replace(DINO, side=280, seed=2))
BASE_TEACHERS = (
    *FAST_TEACHERS,
    replace(DINO_WHOLE, seed=1),
    *(replace(LITE, side=side, seed=seed) for seed, side in enumerate((280, 280, 224))),
)
BASE_TAUGHT = replace(DINO_WHOLE, epochs=16, teacher=0.7)
FAST_TAUGHT = replace(LITE, epochs=18, teacher=0.7, originals=ORIGINALS)


@dataclass(frozen=True)
class Plan:
    """How the networks are trained.

    Attributes:
        finder: the finder of both files.
        base: base's classifier.
        fast: fast's; a teacher of both is trained once.
    """

    finder: FinderTraining = field(default_factory=FinderTraining)
    base: Taught = Taught(
        BASE_TEACHERS,
        (
            replace(BASE_TAUGHT, originals=ORIGINALS),
            replace(BASE_TAUGHT, side=280),
            replace(BASE_TAUGHT, side=280, originals=ORIGINALS),
        ),
    )
    fast: Taught = Taught(FAST_TEACHERS, (FAST_TAUGHT,))

    def teachers(self) -> list[ClassifierTraining]:
        """Return the teachers of both files, each once."""
        return list(dict.fromkeys([*self.fast.teachers, *self.base.teachers]))

    def classifiers(self) -> list[ClassifierTraining]:
        """Return all classifiers that are trained."""
        return [*self.teachers(), *self.fast.networks, *self.base.networks]


@dataclass(frozen=True, eq=False)
class MadeFinder:
    """A finder, and what its card says of it."""

    graph: bytes
    settings: FinderSettings
    figures: Any
    made: Any


def make_models(
    data: Path, out: Path, work: Path, plan: Plan, command: str, finder_from: str | None = None
) -> dict[str, dict[str, Any]]:
    """Make both model files and return their cards.

    Args:
        data: the folder that holds ``emotions/``, ``finder/`` and ``original/``.
        out: the folder for ``base.dogmood`` and ``fast.dogmood``.
        work: where finished steps are kept.
        plan: how to train.
        command: what the cards shall name as the way to make the files again.
        finder_from: take the finder of this model instead of training one.

    Raises:
        LabError: the data or the backbones' weights are absent or not as expected.
        ModelError: there is no such model to take the finder from.
    """
    if any(training.originals for training in plan.classifiers()):
        originals_to_learn_from(data / "original")  # what is absent shows now, not after hours
    steps = Steps(work)
    found = _finder_of(finder_from, data) if finder_from else _new_finder(data, steps, plan, command)
    # What may be dog counts as dog while evidence is drawn to it: masks as the network says them.
    finder = Finder(Network(found.graph, ONE_THREAD), eager(replace(found.settings, mask=0.5)))
    sides = {training.side for training in plan.classifiers()}
    sha256 = hashlib.sha256(found.graph).hexdigest()
    shown = {side: show(data, finder, sha256, work, side) for side in sorted(sides)}
    teachers = {t: Teacher(train_on_labels(data, shown[t.side], steps, t), shown[t.side]) for t in plan.teachers()}
    cards = {}
    for name, taught, its_finder in (("fast", plan.fast, _smaller(found, data)), ("base", plan.base, found)):
        side = taught.networks[0].side
        its_teachers = [teachers[training] for training in taught.teachers]
        net = soup([train_on_teachers(data, shown[t.side], its_teachers, steps, t) for t in taught.networks])
        made = {"command": command, "finder": its_finder.made, **_made(taught, data)}
        graph = export_classifier(net, STORAGE, side)
        cards[name] = _write(out / f"{name}.dogmood", graph, its_finder, shown[side], made, data, work)
    return cards


def _made(taught: Taught, data: Path) -> dict[str, Any]:
    """Return what a card says of how its classifier was made."""
    return {
        "teachers": [asdict(training) for training in taught.teachers],
        "taught": [asdict(training) for training in taught.networks],
        "weights": "mean of the taught",
        "data": {f"{folder}/manifest.csv": checksum(data / folder) for folder in learnt_folders(taught.trainings())},
    }


def _smaller(found: MadeFinder, data: Path) -> MadeFinder:
    """Return fast's finder: base has room for it as it was made, in fast every byte and millisecond counts."""
    graph = store(found.graph, STORAGE)
    return MadeFinder(graph, *with_thresholds(graph, replace(found.settings, side=FAST_SIDE), data), found.made)


def _write(
    path: Path,
    graph: bytes,
    found: MadeFinder,
    shown: Mapping[str, Shown],
    made: Mapping[str, Any],
    data: Path,
    work: Path,
) -> dict[str, Any]:
    """Calibrate and measure a classifier's graph, write a model file and return its card."""
    # On the dogs that the file's own finder finds.
    own = Finder(Network(found.graph, ONE_THREAD), eager(found.settings))
    dogs = KnownDogs(own, hashlib.sha256(found.graph).hexdigest(), work)
    settings = ClassifierSettings(shown["valid"].side, VIEWS)

    def answers_of(graph: bytes, part: str) -> Predictions:
        photos = shown[part].photos
        return predict(Classifier(Network(graph, ONE_THREAD), settings), photos, dogs.of(photos))

    as_trained = answers_of(graph, "valid")
    bias = fit_bias(as_trained.logits.astype(np.float64), as_trained.labels)
    graph = biased(graph, bias)
    valid, test = answers_of(graph, "valid"), answers_of(graph, "test")
    doubt = fit_doubt(valid.logits.astype(np.float64), valid.labels)
    card: dict[str, Any] = {
        "name": path.stem,
        "version": VERSIONS[path.stem],
        "labels": list(EMOTIONS),
        **Settings(found.settings, settings, doubt).to_card(),
        "input": "RGB in [0, 1]; normalisation is part of the networks",
        "made": {
            "by": f"dogmood {__version__}",
            **made,
            "bias, fitted on valid": {e: round(float(b), 4) for e, b in zip(EMOTIONS, bias, strict=True)},
        },
        "figures": {
            "finder, test": found.figures,
            "emotions, valid": emotion_figures(valid, doubt),
            "emotions, test": emotion_figures(test, doubt),
        },
    }
    write_bundle(path, card, found.graph, graph)
    return card


def _new_finder(data: Path, steps: Steps, plan: Plan, command: str) -> MadeFinder:
    graph, settings, figures = make_finder(data, steps, plan.finder)
    made = {"by": f"dogmood {__version__}", "command": command, **asdict(plan.finder), "data": finder_sources(data)}
    made["presence"] = WEIGHED
    return MadeFinder(graph, settings, figures, made)


def _finder_of(model: str, data: Path) -> MadeFinder:
    bundle = open_bundle(model)
    made = dict(bundle.card.get("made", {}))
    # In the cards of version 0.1.0 finder and classifier share one entry.
    if "classifier" in made:
        made = {k: v for k, v in made.items() if k != "classifier"} | made["finder"]
        del made["finder"]
    else:
        made = made.get("finder", {})
    # Older cards know neither how far small photos are enlarged nor what a head is worth.
    settings = replace(read_settings(bundle.card).finder, enlarged=FINDER.enlarged, box_with_head=FINDER.box_with_head)
    graph = weigh_presence(bundle.finder, settings, data, int(made.get("seed", 0)))
    return MadeFinder(graph, *with_thresholds(graph, settings, data), made | {"presence": WEIGHED})


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder that holds emotions/, finder/ and original/"
    )
    parser.add_argument("--out", type=Path, default=Path("src/dogmood/models"), help="the folder for the files")
    parser.add_argument("--work", type=Path, default=Path(".cache/weights"), help="where steps are kept")
    parser.add_argument(
        "--finder-from", help="take the finder of this model, a name or a file, instead of training one"
    )
    options = parser.parse_args()
    command = "python -m dogmood.lab.weights --data DATA"
    if options.finder_from:
        command += f" --finder-from {options.finder_from}"
    try:
        with within_memory():
            cards = make_models(options.data, options.out, options.work, Plan(), command, options.finder_from)
    except (LabError, DogMoodError) as error:
        sys.exit(str(error))
    print(json.dumps({name: card["figures"] for name, card in cards.items()}, indent=1))


if __name__ == "__main__":
    main()
