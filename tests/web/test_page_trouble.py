"""The page when something goes wrong around it: a server that is busy, breaks off or wants another token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, all_read, drop, expect, serving
from PIL import Image

from dogmood.web.readers import Readers
from pictures import encoded

TOKEN = "woof & wag"
BUSY = {"status": 429, "headers": {"retry-after": "1"}, "json": {"detail": "Too many photos at once."}}
DRAWN = "#stage .photo:not(.blank) img"


@pytest.fixture(scope="module")
def locked(readers: Readers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that asks for a token, and keeps a history."""
    database = tmp_path_factory.mktemp("locked") / "history.db"
    with serving(readers, token=TOKEN, history=f"sqlite:///{database}") as address:
        yield address


@pytest.fixture
def troubled(chromium: Any, address: str) -> Iterator[Any]:
    """Open pages whose errors are part of the test."""
    contexts = []

    def make(where: str = address, ready: bool = True) -> Any:
        watched = Watched(chromium, where)
        contexts.append(watched.context)
        if ready:
            expect(watched.page.locator("body.ready")).to_have_count(1)
        return watched.page

    yield make
    for context in contexts:
        context.close()


def tiff_of(photo: Path) -> bytes:
    with Image.open(photo) as image:
        return encoded(image.convert("RGB"), "TIFF")


def wait_until(page: Any, happened: Callable[[], bool]) -> None:
    for _ in range(200):
        if happened():
            return
        page.wait_for_timeout(100)
    pytest.fail("what the page was to ask for, it never did")


def enter(page: Any, token: str) -> None:
    page.locator("#token").fill(token)
    page.locator("#token").press("Enter")


def test_an_answer_that_breaks_off_is_no_answer(troubled: Any, cottage: Path) -> None:
    page = troubled()
    page.route(
        "**/v1/read?*",
        lambda route: route.fulfill(status=200, content_type="application/json", body='{"source": "hut'),
        times=1,
    )
    drop(page, hut_jpg=cottage.read_bytes())
    expect(page.locator("#stage")).to_contain_text("The server does not answer", timeout=10_000)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#stage")).to_contain_text("No dog here")


def test_what_is_forgotten_is_not_sent_again(troubled: Any, cottage: Path, bull_mastiff: Path) -> None:
    page = troubled()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.route("**/v1/read?*", lambda route: route.fulfill(**BUSY), times=1)
    with page.expect_response("**/v1/read?*"):
        drop(page, hut_jpg=cottage.read_bytes())
    page.locator("#clear").click()
    page.wait_for_timeout(2500)
    assert len(sent) == 1
    # Nor is a picture that the server was to draw.
    page.route("**/v1/picture?*", lambda route: route.fulfill(**BUSY), times=1)
    with page.expect_response("**/v1/picture?*"):
        drop(page, rex_tiff=tiff_of(bull_mastiff))
    page.locator("#clear").click()
    page.wait_for_timeout(2500)
    assert len(sent) == 3


def test_a_drawn_picture_finds_its_photo_again(troubled: Any, bull_mastiff: Path, cottage: Path) -> None:
    page = troubled()
    held: list[Any] = []
    page.route("**/v1/picture?*", lambda route: held.append(route), times=1)
    drop(page, rex_tiff=tiff_of(bull_mastiff), hut_jpg=cottage.read_bytes())
    all_read(page, 2)
    expect(page.locator("#stage .photo.blank")).to_have_count(1)
    wait_until(page, lambda: bool(held))
    page.locator(".thumb").nth(1).click()
    page.locator(".thumb").nth(0).click()
    held[0].continue_()
    expect(page.locator(DRAWN)).to_have_js_property("naturalWidth", 512)


def test_a_picture_that_was_not_drawn_is_asked_for_again(troubled: Any, bull_mastiff: Path, cottage: Path) -> None:
    page = troubled()
    refusals = [BUSY, {"status": 503, "json": {"detail": "Too slow."}}]
    page.route("**/v1/picture?*", lambda route: route.fulfill(**refusals.pop(0)), times=2)
    drop(page, rex_tiff=tiff_of(bull_mastiff), hut_jpg=cottage.read_bytes())
    all_read(page, 2)
    wait_until(page, lambda: not refusals)
    # Busy it was asked again by itself; after a failure when it is looked at again.
    page.locator(".thumb").nth(1).click()
    page.locator(".thumb").nth(0).click()
    expect(page.locator(DRAWN)).to_have_js_property("naturalWidth", 512)


def test_a_token_that_no_header_can_carry_is_not_the_token(troubled: Any, locked: str) -> None:
    page = troubled(locked, ready=False)
    expect(page.locator("#token")).to_be_focused()
    enter(page, "пароль")
    expect(page.locator("#trouble")).to_have_text("That is not the token; try again.")
    page.reload()
    expect(page.locator("#token")).to_be_focused()
    enter(page, TOKEN)
    expect(page.locator("#intake")).to_be_visible()
    expect(page.locator("#files")).to_be_focused()
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_token_that_changes_amid_the_visit_is_asked_for(
    troubled: Any, locked: str, cottage: Path, bull_mastiff: Path
) -> None:
    page = troubled(f"{locked}#token=woof%20%26%20wag")
    page.evaluate("sessionStorage.setItem('dogmood-token', 'old')")
    drop(page, hut_jpg=cottage.read_bytes(), rex_jpg=bull_mastiff.read_bytes())
    expect(page.locator("#token")).to_be_focused()
    all_read(page, 2)
    expect(page.locator("#stage")).to_contain_text("This server asks for a token: enter it above.")
    expect(page.locator("#trouble")).to_be_hidden()
    enter(page, "wrong")
    expect(page.locator("#trouble")).to_contain_text("not the token")
    enter(page, TOKEN)
    expect(page.locator("#ask-token")).to_be_hidden()
    expect(page.locator("#stage")).to_contain_text("No dog here")
    expect(page.locator("#said")).to_contain_text("2 photos read: 1 with a dog, 1 without.")
    # Each was sent anew, once.
    expect(page.locator(".thumb")).to_have_count(2)


def test_past_readings_ask_for_the_token_too(troubled: Any, locked: str) -> None:
    page = troubled(f"{locked}#token=woof%20%26%20wag")
    page.evaluate("sessionStorage.setItem('dogmood-token', 'old')")
    page.locator("#history summary").click()
    expect(page.locator("#token")).to_be_focused()
    enter(page, TOKEN)
    expect(page.locator("#history-said")).not_to_contain_text("token")
