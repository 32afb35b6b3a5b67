"""The page and the API against the reading alone, and the API under load.

page: from a photo's drop to its bars on the page of a real Chromium, over the API's
own time for the same photo with the same parameters, photo by photo in turn.
api: the API's time for a photo, over `DogMood.read` of its bytes, in turn.
load: clients that each send a photo, wait for the answer and send the next, for so
many seconds; refused with 429 they wait as they are told.  Answers per second over
the photos per second of one process that reads the same photos with `read_many`, side
by side, before and after; every status; the server's memory as it goes.

The server is `dogmood serve` in a process of its own, with its defaults.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from common import DOGMOOD, in_turn, model_of, print_line, ratios, rounded

from dogmood import DogMood
from dogmood.folder import photos_of
from dogmood.reader import WORKERS

CHROMIUM = "/usr/bin/chromium"
AS_THE_PAGE_ASKS = "/v1/read?explain=true&lenient=true"

DROP_TO_BARS = """async ({ name, bytes }) => {
  const file = new File([new Uint8Array(bytes)], name);
  const carried = new DataTransfer();
  carried.items.add(file);
  const before = document.querySelectorAll(".thumb").length;
  // The new photo takes the stage at once, so bars on it are its own.
  const shown = () => document.querySelectorAll(".thumb").length > before
    && document.querySelector("#stage .dogs .card:not(.busy)");
  const seen = new Promise((resolve) => {
    const look = () => {
      if (!shown()) return;
      watch.disconnect();
      requestAnimationFrame(() => resolve(performance.now()));
    };
    const watch = new MutationObserver(look);
    watch.observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  const start = performance.now();
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
  return (await seen) - start;
}"""


class Server:
    """`dogmood serve` in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
        self.host = address.removeprefix("http://").rstrip("/")

    def post(self, connection: HTTPConnection, data: bytes, path: str = "/v1/read") -> tuple[int, float]:
        """Send a photo; return the status and, with 429, the seconds to wait."""
        connection.request("POST", path, data, {"content-type": "application/octet-stream"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            json.loads(body)
        return answer.status, float(answer.headers.get("retry-after", 0))

    def seconds(self, connection: HTTPConnection, data: bytes, path: str = "/v1/read") -> float:
        start = time.perf_counter()
        status, _ = self.post(connection, data, path)
        if status != 200:
            sys.exit(f"The server answered with {status}.")
        return time.perf_counter() - start

    def megabytes(self) -> float:
        """Return the memory the server holds now, in MB (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024 / 1e6


@contextmanager
def serving(model: str) -> Iterator[Server]:
    command = [DOGMOOD, "serve", "--port", "0", "--no-open", "--model", model]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(process, re.findall(r"http://\S+", process.stdout.readline())[0])
    finally:
        process.terminate()
        process.wait()


def page_against_api(server: Server, photos: Sequence[bytes]) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    connection = HTTPConnection(server.host, timeout=120)
    with sync_playwright() as running:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        page = running.chromium.launch(executable_path=CHROMIUM, args=flags).new_page()
        page.goto(server.address)
        page.locator("body.ready").wait_for()

        def drop(i: int) -> float:
            milliseconds: float = page.evaluate(DROP_TO_BARS, {"name": f"{i}.jpg", "bytes": list(photos[i])})
            return milliseconds / 1000

        drop(0)
        dropped, api = in_turn(drop, lambda i: server.seconds(connection, photos[i], AS_THE_PAGE_ASKS), len(photos))
    return {**ratios(dropped, api), "aim": "at most 1.3", "page_s": summary(dropped), "api_s": summary(api)}


def api_against_reading(server: Server, dogmood: DogMood, photos: Sequence[bytes]) -> dict[str, Any]:
    connection = HTTPConnection(server.host, timeout=120)

    def read(i: int) -> float:
        start = time.perf_counter()
        dogmood.read(photos[i])
        return time.perf_counter() - start

    read(0)
    api, bare = in_turn(lambda i: server.seconds(connection, photos[i]), read, len(photos))
    return {**ratios(api, bare), "aim": "at most 1.3", "api_s": summary(api), "reading_s": summary(bare)}


def under_load(
    server: Server, reading: Callable[[], float], photos: Sequence[bytes], clients: int, seconds: float
) -> dict[str, Any]:
    """Let so many clients send photos for so long."""
    before = reading()
    statuses: Counter[str] = Counter()
    memory: list[float] = []
    counting = Lock()
    start = time.perf_counter()
    end = start + seconds

    def client(first: int) -> None:
        connection = HTTPConnection(server.host, timeout=120)
        for photo in itertools.islice(itertools.cycle(photos), first, None):
            if time.perf_counter() >= end:
                break
            try:
                status, wait = server.post(connection, photo)
            except OSError as error:
                status, wait = type(error).__name__, 1.0
                connection.close()
            with counting:
                statuses[str(status)] += 1
            if wait:
                time.sleep(min(wait, max(0.0, end - time.perf_counter())))

    threads = [Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    while time.perf_counter() < end:
        memory.append(server.megabytes())
        time.sleep(min(1.0, seconds / 20))
    for thread in threads:
        thread.join()
    # Answers that came late count, and so does the time they took.
    rate = statuses["200"] / (time.perf_counter() - start)
    alone = statistics.mean([before, reading()])
    half = memory[len(memory) // 2 :]
    return {
        "clients": clients,
        "ratio": round(rate / alone, 4),
        "answers_per_s": round(rate, 3),
        "reader_photos_per_s": round(alone, 3),
        "statuses": dict(statuses),
        "server_mb": {
            "start": round(memory[0], 1),
            "halfway": round(half[0], 1),
            "end": round(half[-1], 1),
            "most": round(max(memory), 1),
        },
    }


def reading_rate(dogmood: DogMood, photos: Sequence[bytes], seconds: float) -> float:
    """Return the photos per second of `read_many` in this process."""
    start, read = time.perf_counter(), 0
    for _ in dogmood.read_many(itertools.cycle(photos)):
        read += 1
        if time.perf_counter() - start >= seconds:
            break
    return read / (time.perf_counter() - start)


def summary(seconds: Sequence[float]) -> dict[str, float]:
    median, most = rounded([statistics.median(seconds), max(seconds)])
    return {"median": median, "most": most}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos")
    parser.add_argument("--model", default="base", help="a shipped model's name, or a .dogmood file")
    parser.add_argument("--count", type=int, default=100, help="how many photos for page and api")
    parser.add_argument("--seconds", type=float, default=60, help="how long each load lasts")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 64], help="how many at once")
    parser.add_argument("--parts", nargs="*", default=["page", "api", "load"], choices=["page", "api", "load"])
    options = parser.parse_args()

    paths = [photo.path for photo in photos_of([options.photos]) if photo.problem is None]
    if not paths:
        sys.exit(f"{options.photos} holds no photos.")
    photos = [path.read_bytes() for path in itertools.islice(itertools.cycle(paths), options.count)]
    dogmood = DogMood(options.model)
    figures: dict[str, Any] = {}
    with serving(options.model) as server:
        server.seconds(HTTPConnection(server.host, timeout=120), photos[0])
        if "page" in options.parts:
            figures["page"] = page_against_api(server, photos)
        if "api" in options.parts:
            figures["api"] = api_against_reading(server, dogmood, photos)
        if "load" in options.parts:
            window = max(options.seconds / 4, 0.1)
            quickest = DogMood(options.model, side_by_side=WORKERS)
            rate = lambda: reading_rate(quickest, photos, window)  # noqa: E731
            figures["load"] = [under_load(server, rate, photos, n, options.seconds) for n in options.clients]
            figures["load_aim"] = "at least 0.9 at 8 clients, no status but 200 and 429, memory flat"
    print_line("web", **figures, photos=len(photos), different=len(set(photos)), model=model_of(dogmood))


if __name__ == "__main__":
    main()
