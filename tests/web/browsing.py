"""A real Chromium, the page served to it, and what a person does there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from dogmood.web.app import create_app
from dogmood.web.readers import Readers
from dogmood.web.server import listen
from dogmood.web.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip(f"{CHROMIUM} is not there: install the system's chromium", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install '.[test]'")
expect, Page = playwright.expect, playwright.Page
expect.set_options(timeout=60_000)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def chromium_with(*flags: str) -> Iterator[Any]:
    """Run a browser; only one such block can be open at a time."""
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def serving(readers: Readers, **settings: Any) -> Iterator[str]:
    """Serve the page from a thread of this process; yield its address."""
    app = create_app(Settings(**settings), readers)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    with listen("127.0.0.1", 0) as listening:
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


class Watched:
    """A page that is watched: every request it makes, every error it meets."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | context)
        self.page = self.context.new_page()
        self.origin = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)

    def check(self) -> None:
        """Nothing may have left the page's origin, nothing may have gone wrong."""
        assert self.requests
        # blob: and data: name what is in the page already.
        away = [url for url in self.requests if not url.startswith((f"{self.origin}/", "blob:", "data:image/png"))]
        assert away == []
        assert self.errors == []


DROP = """files => {
  const carried = new DataTransfer();
  for (const { name, bytes } of files) carried.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: carried, bubbles: true, cancelable: true }));
  }
}"""
PASTE = """({ name, bytes }) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
}"""
OPAQUE = """map => {
  const { width, height } = map;
  return map.getContext("2d").getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 3).some(a => a > 90);
}"""


def sent(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "bytes": list(data)}


def drop(page: Any, **files: bytes) -> None:
    page.evaluate(DROP, [sent(name.replace("_", "."), data) for name, data in files.items()])


def all_read(page: Any, count: int) -> None:
    expect(page.locator(".thumb")).to_have_count(count)
    expect(page.locator(".thumb.busy")).to_have_count(0)


def bars(page: Any) -> dict[str, str]:
    return {
        bar.locator(".name").inner_text(): bar.locator(".percent").inner_text() for bar in page.locator(".bar").all()
    }
