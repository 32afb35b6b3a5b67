"""Cold start: `dogmood read PHOTO` against a bare script that runs the same networks once.

Both are timed as whole processes, in alternating pairs.  The ratio is dogmood's time
over the bare script's: 1 would be a program that costs nothing but its networks.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common import DOGMOOD, Recorder, in_turn, model_of, print_line, process_seconds, ratios, rounded

from dogmood import DogMood
from dogmood.bundle import SHIPPED, SUFFIX, Network, open_bundle
from dogmood.classifier import Classifier
from dogmood.finder import Finder

WARM_UP = 2


def shapes_of(dogmood: DogMood, model: str, photo: Path) -> list[str]:
    """Return the shapes that the photo gives the finder and the classifier."""
    bundle = open_bundle(model)
    finder, classifier = Recorder(Network(bundle.finder)), Recorder(Network(bundle.classifier))
    dogmood.finder = Finder(finder, dogmood.settings.finder)
    dogmood.classifier = Classifier(classifier, dogmood.settings.classifier)
    dogs = len(dogmood.read(photo).dogs)
    if dogs != 1:
        sys.exit(f"{photo} shows {dogs} dogs to this model: choose a photo in which it finds one.")
    return [",".join(map(str, batch.shape)) for batch in finder.batches + classifier.batches]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, required=True, help="a photo of one dog")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--runs", type=int, default=21, help="how many pairs")
    options = parser.parse_args()

    dogmood = DogMood(options.model)
    shapes = shapes_of(dogmood, options.model, options.photo)
    shipped = SHIPPED / f"{options.model}{SUFFIX}"
    file = shipped if shipped.is_file() else Path(options.model)
    bare = [sys.executable, str(Path(__file__).with_name("bare_start.py")), str(file), *shapes]
    ours = [DOGMOOD, "read", str(options.photo), "--model", options.model]

    def pairs(rounds: int) -> tuple[list[float], list[float]]:
        return in_turn(lambda _: process_seconds(ours), lambda _: process_seconds(bare), rounds)

    pairs(WARM_UP)
    ours_s, bare_s = pairs(options.runs)
    print_line(
        "cold start",
        **ratios(ours_s, bare_s),
        aim="at most 1.4",
        pairs=options.runs,
        dogmood_s=rounded(ours_s),
        bare_s=rounded(bare_s),
        shapes=shapes,
        model=model_of(dogmood),
    )


if __name__ == "__main__":
    main()
