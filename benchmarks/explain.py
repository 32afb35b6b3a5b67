"""What saying where it looked costs: reading photos with maps and shares, against reading alone.

Both read the same photos with the same loaded model, as a folder is read, block after
block in turn; the ratio is the time with maps over the time without.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from common import in_turn, model_of, print_line, ratios, rounded
from folder import choose

from dogmood import DogMood
from dogmood.reader import WORKERS


def seconds(dogmood: DogMood, photos: list[Path], explain: bool) -> float:
    start = time.perf_counter()
    for _ in dogmood.read_many(photos, explain):
        pass
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--explain-quality", default="quick", help="quick or fine")
    parser.add_argument("--count", type=int, default=400, help="how many photos")
    parser.add_argument("--block", type=int, default=20, help="photos between turns")
    options = parser.parse_args()

    photos = choose(options.photos, options.count)
    dogmood = DogMood(options.model, explain_quality=options.explain_quality, side_by_side=WORKERS)
    blocks = [photos[at : at + options.block] for at in range(0, len(photos), options.block)]
    seconds(dogmood, blocks[0], explain=True)
    told, alone = in_turn(
        lambda i: seconds(dogmood, blocks[i], explain=True), lambda i: seconds(dogmood, blocks[i], False), len(blocks)
    )
    print_line(
        "explain",
        **ratios(told, alone),
        aim="at most 1.1" if options.explain_quality == "quick" else "none",
        quality=options.explain_quality,
        photos=len(photos),
        block=options.block,
        with_maps_s=rounded(told),
        alone_s=rounded(alone),
        model=model_of(dogmood),
    )


if __name__ == "__main__":
    main()
