"""The page's list of past readings, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import all_read, drop, expect, serving
from test_history import FEARFUL, fill

from dogmood.web.readers import Readers
from test_reading import REX
from test_results import BAD, CAT, FRAMES, PAIR


@pytest.fixture(scope="module")
def history(readers: Readers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with 65 readings of the past."""
    address = f"sqlite:///{tmp_path_factory.mktemp('history') / 'history.db'}"
    hostile = replace(CAT, source="<img src=x onerror=alert(1)>.jpg")
    fill(address, REX, FEARFUL, PAIR, BAD, FRAMES[1], hostile, *(replace(CAT, source=f"{i}.jpg") for i in range(14)))
    many = tuple(replace(REX.dogs[0], dog=i + 1, sure=i % 2 == 0) for i in range(6))
    with_more = [replace(REX, source=f"yard/{i}.jpg", dogs=many) for i in range(45)]
    from dogmood.results import open_results

    with open_results(address, resume=True) as results:
        for reading in with_more:
            results.write(reading)
    with serving(readers, history=address) as served:
        yield served


def test_without_history_there_is_none(opened: Any) -> None:
    page = opened()
    expect(page.locator("#history")).to_be_hidden()
    expect(page.locator("#privacy")).to_contain_text("nothing is stored")


def test_past_readings_are_listed_filtered_and_paged(opened: Any, history: str) -> None:
    page = opened(history)
    expect(page.locator("#privacy")).to_contain_text("readings are stored, photos are not")
    entries = page.locator(".entry")
    expect(entries).to_have_count(0)
    page.locator("#history summary").click()
    expect(entries).to_have_count(50)
    expect(page.locator("#history-said")).to_have_text("50 readings, newest first; there are older ones.")
    page.get_by_role("button", name="Show older").click()
    expect(entries).to_have_count(65)
    expect(page.get_by_role("button", name="Show older")).to_be_hidden()
    expect(entries.nth(50)).to_be_focused()
    # Names are text, whatever they hold.
    expect(page.get_by_text("<img src=x onerror=alert(1)>.jpg")).to_be_visible()
    expect(page.get_by_text("clip.mp4 at 0.2 s")).to_be_visible()

    page.get_by_label("Emotion").select_option("fear")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(entries).to_have_count(1)
    expect(entries.first).to_contain_text("Kennel/Bella 100%_.jpg")
    expect(entries.first).to_contain_text("Fear 93.1 % sure")
    expect(entries.first).to_contain_text("base 1.2.0")

    page.get_by_role("button", name="Show all").click()
    expect(entries).to_have_count(50)
    page.get_by_label("From", exact=True).fill("2026-05-01")
    page.get_by_label("To", exact=True).fill("2026-05-04")
    page.get_by_label("To", exact=True).press("Enter")
    expect(entries).to_have_count(4)
    expect(entries.first).to_contain_text("It is, in a word, broken.")
    page.get_by_label("Name holds").fill("no such name")
    page.get_by_label("Name holds").press("Enter")
    expect(page.locator("#history-said")).to_have_text("No reading fits.")


def test_no_day_is_later_than_any_server_knows(opened: Any, history: str) -> None:
    page = opened(history)
    page.locator("#history summary").click()
    expect(page.locator(".entry")).to_have_count(50)
    until = page.get_by_label("To", exact=True)
    until.evaluate("field => { field.value = '20266-01-01'; }")
    assert until.evaluate("field => field.validity.rangeOverflow")
    # The last day there is: the list goes on.
    until.fill("9999-12-31")
    page.get_by_label("Name holds").fill("bella")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".entry")).to_have_count(1)


def test_a_photo_that_is_read_joins_the_list(
    opened: Any, readers: Readers, tmp_path: Path, bull_mastiff: Path, cottage: Path
) -> None:
    with serving(readers, history=f"sqlite:///{tmp_path / 'new.db'}", keep=tmp_path / "kept") as address:
        page = opened(address)
        expect(page.locator("#privacy")).to_contain_text("and readings in a database")
        page.locator("#history summary").click()
        expect(page.locator("#history-said")).to_have_text("Nothing has been read yet.")
        drop(page, rex_jpg=bull_mastiff.read_bytes())
        all_read(page, 1)
        expect(page.locator(".entry")).to_have_count(1)
        drop(page, hut_jpg=cottage.read_bytes())
        all_read(page, 2)
        expect(page.locator(".entry")).to_have_count(2)
        expect(page.locator(".entry").first).to_contain_text("no dog")


def test_with_the_keyboard_alone(opened: Any, history: str) -> None:
    page = opened(history)

    def tab_to(locator: Any) -> None:
        for _ in range(80):
            if locator.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"{locator} is out of the keyboard's reach")

    tab_to(page.locator("#history summary"))
    page.keyboard.press("Enter")
    expect(page.locator(".entry")).to_have_count(50)
    tab_to(page.get_by_label("Name holds"))
    page.keyboard.type("bella")
    page.keyboard.press("Enter")
    expect(page.locator(".entry")).to_have_count(1)
    tab_to(page.get_by_role("button", name="Show all"))
    page.keyboard.press("Enter")
    expect(page.locator(".entry")).to_have_count(50)
    tab_to(page.get_by_role("button", name="Show older"))
    page.keyboard.press("Enter")
    expect(page.locator(".entry")).to_have_count(65)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_contrast_labels_and_width_hold(opened: Any, history: str, scheme: str, width: int) -> None:
    axe_module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(history, color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900})
    page.locator("#history summary").click()
    expect(page.locator(".entry")).to_have_count(50)
    found = axe_module.Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
