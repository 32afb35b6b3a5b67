"""How candidates enter, and how they are measured in turn."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import DOGMOOD, process_seconds

from race.candidates import OURS, THEIRS, Candidate, environment_of
from race.course import Course
from race.process import AbsentError, Worker, run_once


@dataclass
class Runner:
    """A candidate that takes part, and all that was measured of it."""

    candidate: Candidate
    worker: Worker
    latency: list[list[float]] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    found: int = 0
    megabytes: float = 0.0


def setup_of(candidate: Candidate, course: Course, threads: int) -> dict[str, Any]:
    return {
        "reader": candidate.reader,
        "arguments": candidate.arguments,
        "folder": str(course.place),
        "threads": threads,
        "photos": course.names[:1],
    }


def enter(candidate: Candidate, course: Course, threads: int) -> Runner:
    """Load a candidate and let it warm up.

    Raises:
        AbsentError: it cannot take part.
    """
    if candidate.theirs and not Path(candidate.python).is_file():
        raise AbsentError(f"there is no {THEIRS.relative_to(THEIRS.parents[1])}: make bench-peers makes it")
    if candidate.reader == "Deepface" and course.people:
        raise AbsentError(course.people)
    setup, environment = setup_of(candidate, course, threads), environment_of(candidate, threads)
    run_once(candidate.python, "prepare", setup, environment)
    worker = Worker(candidate.python, setup, environment)
    try:
        singles, block = course.of_round(0)
        worker.ask("latency", singles[:1])
        # As many as later: some compile anew for each size of a batch.
        worker.ask("throughput", block)
    except AbsentError:
        worker.close()
        raise
    return Runner(candidate, worker)


def turns(runners: Sequence[Runner], number: int) -> Iterable[Runner]:
    """Return the order of a round: another one leads each time, and every second goes backwards."""
    at = number % len(runners)
    order = [*runners[at:], *runners[:at]]
    return order if number % 2 == 0 else reversed(order)


def cold_start(candidate: Candidate, course: Course, threads: int) -> float:
    """Return the seconds of a fresh process that reads one photo."""
    if candidate.kind == OURS:
        # What its users type; it looks for its own cores.
        photo = course.place / "dogs" / f"{course.names[0]}.jpg"
        return process_seconds([DOGMOOD, "read", str(photo), "--model", candidate.name])
    return run_once(candidate.python, "once", setup_of(candidate, course, threads), environment_of(candidate, threads))


def race(runners: Sequence[Runner], course: Course, options: argparse.Namespace) -> dict[str, list[float]]:
    """Let all read in turn; return the rates of the product of matrices, by threads."""
    multiplying = {
        str(threads): Worker(
            sys.executable,
            {"reader": "Multiplication", "arguments": {}, "folder": str(course.place), "threads": threads},
            environment_of(None, threads),
        )
        for threads in sorted({1, options.threads})
    }
    rates = defaultdict(list)
    for number in range(options.rounds):
        singles, block = course.of_round(number)
        for runner in turns(runners, number):
            told = runner.worker.ask("latency", singles)
            runner.latency.append(told["seconds"])
            runner.found += told["found"]
        for runner in turns(runners, number):
            told = runner.worker.ask("throughput", block)
            runner.rate.append(len(block) / told["seconds"])
            runner.parts.append(told["parts"])
            runner.found += told["found"]
        for threads, worker in multiplying.items():
            rates[threads].append(worker.ask("rate")["rate"])
    for worker in multiplying.values():
        worker.close()
    for runner in runners:
        runner.megabytes = runner.worker.ask("memory")["mb"]
        runner.worker.close()
    for number in range(options.cold_starts):
        for runner in turns(runners, number):
            runner.cold.append(cold_start(runner.candidate, course, options.threads))
    return dict(rates)
