"""Several dogs on one photo: their labels and their bars; and photos that are read once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, all_read, drop, expect
from fastapi.testclient import TestClient

NARROW = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def pack(client: TestClient, opened: Any, bull_mastiff: Path) -> Any:
    """Show a photo on which dogs are said to be in the boxes given, none of them sure."""
    reading = client.post("/v1/read?explain=true", content=bull_mastiff.read_bytes()).json()

    def show(*boxes: list[int], **context: Any) -> Any:
        (dog,) = reading["dogs"]
        dogs = [dog | {"dog": i + 1, "box": box, "sure": False} for i, box in enumerate(boxes)]
        page = opened(**context)
        page.route("**/v1/read?*", lambda route: route.fulfill(json=reading | {"dogs": dogs}))
        drop(page, pack_jpg=bull_mastiff.read_bytes())
        all_read(page, 1)
        return page

    return show


LABELS = """frame => {
  const room = frame.getBoundingClientRect();
  return [...frame.querySelectorAll(".tag")].map(tag => {
    const { left, right, top, bottom } = tag.getBoundingClientRect();
    const within = left >= room.left && right <= room.right && top >= room.top && bottom <= room.bottom;
    return { words: tag.innerText, left, right, top, bottom, within };
  });
}"""
SIDE_BY_SIDE = ([20, 90, 300, 450], [260, 95, 505, 460])  # of 512 by 342 pixels or so
ROW = ([10, 0, 120, 300], [130, 5, 240, 300], [250, 0, 360, 300], [365, 2, 500, 300])
SAME_PLACE = ([400, 100, 500, 300],) * 3


@pytest.mark.parametrize("context", [NARROW, {}], ids=["narrow", "wide"])
@pytest.mark.parametrize("boxes", [SIDE_BY_SIDE, ROW, SAME_PLACE], ids=["side by side", "row", "same place"])
def test_labels_are_whole_apart_and_keep_their_doubt(pack: Any, boxes: Any, context: dict[str, Any]) -> None:
    page = pack(*boxes, **context)
    labels = page.locator("#stage .frame").evaluate(LABELS)
    assert len(labels) == len(boxes)
    for i, label in enumerate(labels):
        assert label["within"], label
        assert label["words"].startswith(f"{i + 1} ")
        assert label["words"].endswith(("(not sure)", " ?"))
        for other in labels[:i]:
            beside = label["right"] <= other["left"] or other["right"] <= label["left"]
            assert beside or label["bottom"] <= other["top"] or other["bottom"] <= label["top"], (label, other)


def test_labels_say_more_where_there_is_room(pack: Any) -> None:
    page = pack(*SIDE_BY_SIDE)
    first = page.locator("#stage .tag").first
    assert "% (not sure)" in first.inner_text()
    page.set_viewport_size({"width": 360, "height": 640})
    expect(first.locator(".long")).to_be_hidden()
    assert first.inner_text().endswith(" ?")
    page.set_viewport_size({"width": 1200, "height": 900})
    expect(first.locator(".long")).to_be_visible()


def test_one_bar_is_pressed_whichever_dog_s_it_is(pack: Any) -> None:
    page = pack(*SIDE_BY_SIDE)
    first, second = (page.locator(".dog").nth(i).locator(".bar").first for i in (0, 1))
    boxes, pressed = page.locator("#stage .box"), page.locator(".bar[aria-pressed=true]")
    first.click()
    second.click()
    page.mouse.move(5, 5)
    expect(pressed).to_have_count(1)
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(boxes.nth(0)).to_have_css("opacity", "0.25")
    # Leaving another dog's bars shows again what is pressed.
    first.hover()
    expect(boxes.nth(1)).to_have_css("opacity", "0.25")
    page.mouse.move(5, 5)
    expect(boxes.nth(0)).to_have_css("opacity", "0.25")
    second.click()
    page.mouse.move(5, 5)
    expect(pressed).to_have_count(0)
    expect(page.locator("#stage .map")).to_have_css("opacity", "0")


def test_what_is_read_once_more_is_told_and_focus_stays_near(chromium: Any, address: str, bull_mastiff: Path) -> None:
    watched = Watched(chromium, address)
    page = watched.page
    expect(page.locator("body.ready")).to_have_count(1)
    slow = {"status": 503, "json": {"detail": "The photo could not be read within 30 s; send it again later."}}
    page.route("**/v1/read?*", lambda route: route.fulfill(**slow), times=1)
    drop(page, rex_jpg=bull_mastiff.read_bytes())
    said = page.locator("#said")
    expect(said).to_have_text(slow["json"]["detail"])
    page.get_by_role("button", name="Try again").focus()
    page.keyboard.press("Enter")
    expect(said).to_contain_text("rex.jpg: 1 dog. Dog 1:")
    expect(page.locator("#stage .dogs")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".bar").first).to_be_focused()
    # With other emotions to choose from too.
    likeliest = page.locator(".bar").first.get_attribute("data-emotion")
    page.locator("#options summary").click()
    page.locator(f"#choose-{likeliest}").focus()
    page.keyboard.press("Space")
    expect(page.locator(".bar")).to_have_count(4)
    expect(said).to_contain_text("rex.jpg: 1 dog. Dog 1:")
    expect(said).not_to_contain_text(likeliest)
    expect(page.locator(f"#choose-{likeliest}")).to_be_focused()
    drop(page, max_jpg=bull_mastiff.read_bytes())
    all_read(page, 2)
    page.locator(f"#choose-{likeliest}").click()
    expect(said).to_contain_text(f"2 photos read: 2 with a dog, 0 without. max.jpg: 1 dog. Dog 1: {likeliest}")
    watched.context.close()
