"""The page in a real browser: the system's Chromium, where there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dogmood.reading import Reading
from dogmood.report.page import write_report
from dogmood.results import open_results
from test_reading import MODEL, REX

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = Path("/usr/bin/chromium")
LINES = """[...document.querySelectorAll("table.words tbody th")].map(cell => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  return text.getClientRects().length;
})"""
"""On how many lines each name of what could not be read stands."""
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium")


@pytest.fixture
def page_file(bull_mastiff: Path, tmp_path: Path) -> Path:
    unsure = replace(REX.dogs[0], emotion="fear", sure=False, possible=("fear", "anger"))
    readings = [
        replace(REX, source=str(bull_mastiff), dogs=(unsure,), taken="2026-05-01T10:22:03"),
        Reading("cat.jpg", "no_dog", 10, 20, MODEL),
        Reading("bad.jpg", "unreadable", 0, 0, MODEL, reason="bad.jpg is empty (0 bytes)."),
        Reading("garden.jpg", "unreadable", 0, 0, MODEL, reason="it cannot be read: " + "many words tell why, " * 30),
        *(replace(REX, source="clip.mp4", time=i / 5, dogs=(replace(unsure, track=1),)) for i in range(20)),
    ]
    with open_results(tmp_path / "out.jsonl") as results:
        for reading in readings:
            results.write(reading)
    return write_report(tmp_path / "out.jsonl")


def test_it_asks_for_nothing_fits_a_phone_and_breaks_no_rule_of_accessibility(page_file: Path) -> None:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            # The rules are a script, which the page itself does not let in.
            context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 800}, bypass_csp=True)
            page = context.new_page()
            asked: list[str] = []
            said: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.goto(page_file.as_uri())
            assert [url for url in asked if not url.startswith(("data:", page_file.as_uri()))] == []
            assert said == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
            assert page.evaluate(LINES) == [1, 1]
            assert axe.Axe().run(page).response["violations"] == []
        browser.close()
