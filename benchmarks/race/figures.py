"""What was measured, as the figures of the answer."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import ratios

import dogmood
from dogmood.bundle import open_bundle
from race.candidates import LIMIT, OURS, Candidate
from race.course import Course
from race.flops import count_flops
from race.running import Runner
from race.sizes import closure_bytes, folder_bytes, site_of

_WHAT = {"Dogmood": "dogs", "Limit": "dogs", "Deepface": "faces"}


def summary(values: Sequence[float]) -> dict[str, Any]:
    low, high = np.quantile(values, [0.25, 0.75])
    return {
        "median": round(statistics.median(values), 4),
        "quartiles": [round(float(low), 4), round(float(high), 4)],
        "n": len(values),
    }


def row_of(runner: Runner, ours: dict[str, Runner], megabytes: float | None, photos: int) -> dict[str, Any]:
    """Return a candidate's row of the tables."""
    candidate = runner.candidate
    per_photo = [statistics.mean(block) for block in runner.latency]
    models = {name: one for name, one in ours.items() if one is not runner}
    what = "pictures" if candidate.arguments.get("detector") == "skip" else _WHAT.get(candidate.reader, "pictures")
    return {
        "name": candidate.name,
        "title": candidate.title,
        "kind": candidate.kind,
        "job": candidate.job,
        "read": f"{runner.found} {what} in {photos} photos",
        "latency_ms": summary([1000 * seconds for block in runner.latency for seconds in block]),
        "latency_over": {
            name: ratios(per_photo, [statistics.mean(block) for block in one.latency]) for name, one in models.items()
        },
        "photos_per_s": summary(runner.rate),
        "photos_per_s_over": {name: ratios(runner.rate, one.rate) for name, one in models.items()},
        "cold_start_s": summary(runner.cold),
        "cold_start_over": {name: ratios(runner.cold, one.cold) for name, one in models.items()},
        "peak_mb": round(runner.megabytes, 1),
        "installed_mb": megabytes,
    }


def installed_megabytes(candidates: Iterable[Candidate]) -> dict[str, float | None]:
    """Return what each candidate's packages take with all they need, weights left out."""
    sites: dict[str, list[str]] = {}
    sizes: dict[str, float | None] = {}
    for candidate in candidates:
        site = sites.setdefault(candidate.python, []) or site_of(candidate.python)
        sites[candidate.python] = site
        try:
            size = closure_bytes(candidate.packages, site)
        except (LookupError, ImportError):
            sizes[candidate.name] = None
            continue
        if candidate.kind == OURS:
            size += folder_bytes(Path(dogmood.__file__).parent, leaving_out=".dogmood")
        sizes[candidate.name] = round(size / 1e6, 1)
    return sizes


def networks_of(runners: Sequence[Runner], course: Course, rate: float) -> list[dict[str, Any]]:
    """Return how many operations a second each network does.

    Args:
        runners: all that took part; those of the networks alone are looked at.
        course: what they ran on.
        rate: the machine's, in 10^9 operations a second.
    """
    rows = []
    for runner in (runner for runner in runners if runner.candidate.kind == LIMIT):
        model = runner.candidate.arguments["model"]
        bundle = open_bundle(model)
        for network, graph in (("finder", bundle.finder), ("classifier", bundle.classifier)):
            counted: dict[tuple[int, ...], float] = {}
            runs: Counter[tuple[int, ...]] = Counter()
            rates = []
            for number, parts in enumerate(runner.parts):
                taken = [batch for name in course.of_round(number)[1] for batch in course.shapes[model][name]]
                shapes = [shape for of, shape in taken if of == network]
                counted |= {shape: count_flops(graph, shape) / 1e9 for shape in set(shapes) - counted.keys()}
                runs.update(shapes)
                if shapes:
                    rates.append(sum(counted[shape] for shape in shapes) / parts[network])
            if not rates:
                continue
            usual, _ = runs.most_common(1)[0]
            rows.append(
                {
                    "model": model,
                    "network": network,
                    "input": usual,
                    "gflop": round(counted[usual], 4),
                    "gflops": summary(rates),
                    "of_the_rate": round(statistics.median(rates) / rate, 4),
                }
            )
    return rows
