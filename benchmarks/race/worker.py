"""A candidate's process: loads it, then does what lines of JSON ask, one answer a line.

    python worker.py prepare SETUP      make what loading needs
    python worker.py once SETUP         load, read one photo, leave: a cold start
    python worker.py stay SETUP         load, then answer: latency, throughput, rate, memory

SETUP is JSON: `reader` and its `arguments`, `folder` of the photos, `threads`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from readers import READERS, Reader


def latency(reader: Reader, photos: list[str]) -> dict[str, Any]:
    """Read photos one by one; return the seconds of each."""
    seconds, found = [], 0
    for item in reader.ready(photos):
        start = time.perf_counter()
        found += reader.one(item)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "found": found}


def throughput(reader: Reader, photos: list[str]) -> dict[str, Any]:
    """Read photos as quickly as it goes; return the seconds of all."""
    items = reader.ready(photos)
    reader.parts.clear()
    start = time.perf_counter()
    found = reader.many(items)
    return {"seconds": time.perf_counter() - start, "found": found, "parts": dict(reader.parts)}


def rate(reader: Any, photos: list[str]) -> dict[str, Any]:
    return {"rate": reader.rate()}


def memory(reader: Reader, photos: list[str]) -> dict[str, Any]:
    """Return the most memory this process has held, in MB (10^6 bytes)."""
    try:
        # Unlike getrusage's, this peak does not start at the size of the parent.
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"mb": peak / 1e6}


DEEDS = {deed.__name__: deed for deed in (latency, throughput, rate, memory)}


def main() -> None:
    verb, setup = sys.argv[1], json.loads(sys.argv[2])
    kind, folder = READERS[setup["reader"]], Path(setup["folder"])
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if verb == "prepare":
        kind.prepare(folder, **setup["arguments"])
        return
    reader = kind(folder, setup["threads"], **setup["arguments"])
    if verb == "once":
        reader.one(reader.ready(setup["photos"])[0])
        return
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(DEEDS[asked["do"]](reader, asked["photos"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
