"""The page for everybody: keyboard, narrow screens, contrast, labels, motion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import all_read, drop, expect

from dogmood.emotions import COLOURS


def test_with_the_keyboard_alone(opened: Any, bull_mastiff: Path, cottage: Path) -> None:
    page = opened()
    # Heard from the start: the browser takes a moment to pass choosers on.
    page.on("filechooser", lambda chooser: chooser.set_files([bull_mastiff, cottage]))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#files")).to_be_focused()
    page.keyboard.press("Enter")
    all_read(page, 2)

    def tab_to(locator: Any) -> None:
        for _ in range(40):
            if locator.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"{locator} is out of the keyboard's reach")

    tab_to(page.locator(".thumb").first)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".thumb").nth(1)).to_be_focused()
    expect(page.locator("#stage")).to_contain_text("No dog here")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".thumb").first).to_have_attribute("aria-current", "true")
    tab_to(page.locator(".bar").first)
    expect(page.locator("#stage .map")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(page.locator(".bar").first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".bar").first).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#stage .map")).to_have_css("opacity", "0")


def test_a_narrow_screen_shows_all_without_sideways_scrolling(opened: Any, bull_mastiff: Path) -> None:
    page = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    fits = "() => document.documentElement.scrollWidth <= 360"
    assert page.evaluate(fits)
    page.set_input_files("#files", [bull_mastiff] * 6)
    all_read(page, 6)
    assert page.evaluate(fits)
    small = (
        "all => all.map(e => e.getBoundingClientRect()).filter(r => r.width && (r.height < 24 || r.width < 24)).length"
    )
    assert page.locator("button, label.button, summary").evaluate_all(small) == 0
    page.locator(".bar").first.scroll_into_view_if_needed()
    page.locator(".bar").first.tap()
    expect(page.locator("#stage .map")).to_have_css("opacity", "1")
    # The photo stays in view where its bars are touched.
    assert page.locator("#stage .frame").evaluate("e => e.getBoundingClientRect().bottom > 100")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_rules_hold(opened: Any, scheme: str, bull_mastiff: Path, cottage: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    page = opened(color_scheme=scheme, reduced_motion="reduce")

    def hold() -> None:
        found = axe.run(page, options=rules)
        assert found.violations_count == 0, found.generate_report()

    hold()
    page.locator("#options summary").click()
    hold()
    drop(page, rex_jpg=bull_mastiff.read_bytes(), hut_jpg=cottage.read_bytes(), text_jpg=b"woof")
    all_read(page, 3)
    for thumb in page.locator(".thumb").all():
        thumb.click()
        hold()
    page.locator(".thumb").first.click()
    page.locator(".bar").nth(1).click()
    hold()


def test_motion_is_left_out_where_it_is_not_wanted(opened: Any, bull_mastiff: Path) -> None:
    page = opened(reduced_motion="reduce")
    drop(page, rex_jpg=bull_mastiff.read_bytes())
    all_read(page, 1)
    expect(page.locator("#stage .map")).to_have_css("transition-duration", "0s")


def test_the_five_colours_are_the_five_colours(opened: Any, bull_mastiff: Path) -> None:
    page = opened()
    drop(page, rex_jpg=bull_mastiff.read_bytes())
    all_read(page, 1)
    for emotion, colour in COLOURS.items():
        rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
        expect(page.locator(f".bar[data-emotion={emotion}] .fill")).to_have_css("background-color", f"rgb{rgb}")
