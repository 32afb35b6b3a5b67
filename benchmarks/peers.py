"""dogmood beside its peers, in one run: latency, throughput, cold start, memory, size.

Every candidate (`race/candidates.py`) runs in a process of its own with the same number
of threads.  In each round each one is given the same photos, first one by one (latency),
then a block at a time (throughput), beginning with another candidate each round; cold
starts, fresh processes that read one photo, follow in turn as well.  Ratios are made
round by round against `dogmood fast` and `dogmood base`.

The peers do other jobs than dogmood: deepface reads people's faces, the others label
whole photos.  Their weights are random, which the time does not depend on; how well
anyone reads is not measured here.  A peer that is not there is left out, with the reason;
`make bench-peers` installs them into an environment of their own.

The limit is the shipped networks alone in a plain onnxruntime loop over ready tensors;
how close they run to the rate of the machine's product of matrices is told too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import print_line
from folder import choose
from race.candidates import CANDIDATES, MODELS, OURS
from race.course import lay_out
from race.figures import installed_megabytes, networks_of, row_of, summary
from race.process import AbsentError
from race.running import enter, race
from race.tables import to_markdown


def hold_to(cores: int) -> None:
    """Keep this process and all that it starts to so many cores, where the system can: not all can be told."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run it all and return the figures."""
    hold_to(options.threads)
    count = options.rounds * (options.singles + options.block)
    photos = choose(options.photos, count)
    left_out, runners = [], []
    with tempfile.TemporaryDirectory() as place:
        course = lay_out(Path(place), photos, options.singles, options.block)
        for candidate in CANDIDATES:
            try:
                runners.append(enter(candidate, course, options.threads))
            except AbsentError as error:
                left_out.append({"name": candidate.name, "title": candidate.title, "reason": str(error)})
        ours = {runner.candidate.name: runner for runner in runners if runner.candidate.kind == OURS}
        if ours.keys() != set(MODELS):
            sys.exit(f"dogmood itself cannot be measured: {left_out}")
        rates = race(runners, course, options)
        try:
            networks = networks_of(runners, course, statistics.median(rates[str(options.threads)]) / 1e9)
        except ImportError:
            networks = []
            left_out.append({"name": "networks", "title": "rates of the networks", "reason": "pip install onnx"})
    sizes = installed_megabytes(runner.candidate for runner in runners)
    return {
        "threads": options.threads,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "rounds": options.rounds,
        "cold_starts": options.cold_starts,
        "photos": {
            "count": count,
            "different": len(set(photos)),
            "median_megapixels": round(course.megapixels, 3),
            "dogs": course.dogs,
        },
        "candidates": [row_of(runner, ours, sizes[runner.candidate.name], count) for runner in runners],
        "multiplication": {threads: summary([rate / 1e9 for rate in of]) for threads, of in rates.items()},
        "networks": networks,
        "left_out": left_out,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photos")
    parser.add_argument("--rounds", type=int, default=6, help="how often each has its turn")
    parser.add_argument("--singles", type=int, default=6, help="photos one by one in a round")
    parser.add_argument("--block", type=int, default=12, help="photos in one go in a round")
    parser.add_argument("--cold-starts", type=int, default=5, help="how many of each")
    parser.add_argument("--threads", type=int, default=2, help="how many each computes with")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    parser.add_argument("--table", type=Path, help="write the tables there, as Markdown")
    parser.add_argument("--plot", type=Path, help="write the plot there, as SVG; needs dogmood's extra lab")
    parser.add_argument("--drawn-from", type=Path, help="measure nothing: figures that --json has written")
    options = parser.parse_args()
    if (options.photos is None) == (options.drawn_from is None):
        parser.error("either --photos or --drawn-from, please")

    if options.drawn_from:
        figures = json.loads(options.drawn_from.read_text("utf-8"))
    else:
        figures = measure(options)
        print_line("peers", **figures)
    if options.json:
        write(options.json, json.dumps(figures, indent=1) + "\n")
    if options.table:
        write(options.table, to_markdown(figures))
    if options.plot:
        try:
            from race.plot import draw
        except ImportError as error:
            sys.exit(f"The plot is not drawn: {error}; pip install '.[lab]'.")
        write(options.plot, draw(figures))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
