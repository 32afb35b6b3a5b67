"""The page in a real Chromium: what a person does, and what they then see and can save."""

from __future__ import annotations

import csv
import io
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browsing import DROP, OPAQUE, PASTE, Watched, all_read, bars, drop, expect, sent, serving
from fastapi.testclient import TestClient
from PIL import Image

from dogmood import DogMood
from dogmood.emotions import EMOTIONS
from dogmood.outputs import open_output
from dogmood.photo import open_photo
from dogmood.picture import annotated
from dogmood.reading import Reading
from dogmood.web.readers import Readers
from pictures import corners, encoded, truncated_jpeg

TOKEN = "woof & wag"


@pytest.fixture(scope="module")
def rex(dogmood: DogMood, bull_mastiff: Path) -> Reading:
    return dogmood.read(bull_mastiff)


def test_a_dropped_photo_shows_box_bars_doubt_and_set(opened: Any, rex: Reading, bull_mastiff: Path) -> None:
    page = opened()
    drop(page, rex_jpg=bull_mastiff.read_bytes())
    all_read(page, 1)
    (dog,) = rex.dogs
    assert list(bars(page).items()) == [(e, f"{round(p, 4) * 100:.1f} %") for e, p in dog.sorted_probabilities()]
    expect(page.locator(".badge")).to_have_text("sure" if dog.sure else "not sure")
    words = page.locator(".set").inner_text()
    assert [e for e in EMOTIONS if e in words] == sorted(dog.possible, key=EMOTIONS.index)
    frame = page.locator("#stage .frame").bounding_box()
    box = page.locator("#stage .box").bounding_box()
    for edge, size, i in (("x", "width", 0), ("y", "height", 1)):
        share = frame[size] / (rex.width, rex.height)[i]
        assert box[edge] - frame[edge] == pytest.approx(dog.box[i] * share, abs=1.5)
        assert box[size] == pytest.approx((dog.box[i + 2] - dog.box[i]) * share, abs=1.5)
    said = page.locator("#said")
    expect(said).to_contain_text(f"rex.jpg: 1 dog. Dog 1: {dog.emotion}")
    expect(page.locator("#stage img")).to_have_attribute("alt", "rex.jpg, 1 dog")


def test_sliding_over_an_emotion_fades_its_map_in(opened: Any, bull_mastiff: Path) -> None:
    page = opened()
    drop(page, rex_jpg=bull_mastiff.read_bytes())
    all_read(page, 1)
    frame, layer = page.locator("#stage .frame"), page.locator("#stage .map")
    expect(layer).to_have_css("opacity", "0")
    for bar in page.locator(".bar").all():
        bar.hover()
        expect(page.locator("#stage .looked")).to_contain_text(
            f"where it looked for {bar.get_attribute('data-emotion')}"
        )
        expect(layer).to_have_css("opacity", "1")
    assert layer.evaluate(OPAQUE)
    page.mouse.move(5, 5)
    expect(layer).to_have_css("opacity", "0")
    # A press pins a map, a second one lets it go.
    page.locator(".bar").nth(2).click()
    page.mouse.move(5, 5)
    expect(page.locator(".bar").nth(2)).to_have_attribute("aria-pressed", "true")
    expect(layer).to_have_css("opacity", "1")
    page.locator(".bar").nth(2).click()
    page.mouse.move(5, 5)
    expect(frame).not_to_have_class("frame explained")


def test_each_of_two_dogs_has_its_own_box_bars_and_maps(opened: Any, client: TestClient, bull_mastiff: Path) -> None:
    reading = client.post("/v1/read?explain=true", content=bull_mastiff.read_bytes()).json()
    (first,) = reading["dogs"]
    likeliest = first["emotion"]
    second = first | {"dog": 2, "box": [300, 20, 500, 300], "sure": not first["sure"]}
    second["looked_at"] = {likeliest: {"muzzle": 0.604, "rest_of_head": 0.3, "backdrop": 0.096}}
    page = opened()
    page.route("**/v1/read?*", lambda route: route.fulfill(json=reading | {"dogs": [first, second]}))
    drop(page, both_jpg=bull_mastiff.read_bytes())
    all_read(page, 1)
    expect(page.locator("#stage .dog h3")).to_have_text(["Dog 1", "Dog 2"])
    expect(page.locator("#stage .badge")).to_have_text(["sure", "not sure"] if first["sure"] else ["not sure", "sure"])
    boxes = page.locator("#stage .box")
    expect(boxes).to_have_count(2)
    page.locator(".dog").nth(1).locator(".bar").first.hover()
    expect(boxes.nth(0)).to_have_css("opacity", "0.25")
    expect(boxes.nth(1)).to_have_css("opacity", "1")
    words = f"where it looked for {likeliest}: 60 % muzzle, 30 % rest of head"
    expect(page.locator("#stage .looked")).to_have_text(words)
    expect(page.locator("#said")).to_have_text(f"{words}.")
    page.mouse.move(5, 5)
    expect(boxes.nth(0)).to_have_css("opacity", "1")


def test_a_photo_without_a_dog_and_a_broken_file(opened: Any, cottage: Path) -> None:
    page = opened()
    drop(page, hut_jpg=cottage.read_bytes(), text_jpg=b"woof", cut_jpg=truncated_jpeg(), rex_txt=b"")
    all_read(page, 4)
    shown = page.locator("#stage .dogs")
    expect(shown).to_contain_text("No dog here")
    for nth, sentence in ((1, "text.jpg is not a picture"), (2, "cut.jpg is damaged"), (3, "rex.txt is empty")):
        page.locator(".thumb").nth(nth).click()
        expect(shown).to_contain_text("This file cannot be read")
        expect(shown).to_contain_text(sentence)
    expect(page.locator(".bar")).to_have_count(0)
    expect(page.locator("#said")).to_have_text("4 photos read: 0 with a dog, 1 without, 3 that cannot be read.")


def test_ten_files_at_once(opened: Any, imagenet: Path) -> None:
    photos = sorted(imagenet.glob("imagenet_*.jpg"))[:10]
    page = opened()
    page.set_input_files("#files", photos)
    all_read(page, 10)
    labels = [thumb.get_attribute("aria-label") for thumb in page.locator(".thumb").all()]
    assert [label.partition(":")[0] for label in labels] == [photo.name for photo in photos]
    assert sum("no dog" not in label for label in labels) == 1
    expect(page.locator("#progress")).to_have_text("10 photos")


def test_a_busy_server_is_asked_again(chromium: Any, readers: Readers, cottage: Path) -> None:
    # One place alone, while the page sends two at a time.
    with serving(readers, workers=1, waiting=0) as address:
        watched = Watched(chromium, address)
        expect(watched.page.locator("body.ready")).to_have_count(1)
        watched.page.set_input_files("#files", [cottage] * 3)
        all_read(watched.page, 3)
        expect(watched.page.locator("#said")).to_have_text("3 photos read: 0 with a dog, 3 without.")
        assert watched.errors
        assert all("429" in error for error in watched.errors)
        watched.context.close()


def test_a_cat_is_no_dog(opened: Any, cat: Path) -> None:
    page = opened()
    drop(page, cat_png=cat.read_bytes())
    all_read(page, 1)
    expect(page.locator("#stage")).to_contain_text("No dog here")
    expect(page.locator(".bar")).to_have_count(0)
    expect(page.locator("#said")).to_have_text("cat.png: no dog found.")


def test_a_pasted_photo_is_read(opened: Any, cottage: Path) -> None:
    page = opened()
    page.evaluate(PASTE, sent("pasted.jpg", cottage.read_bytes()))
    all_read(page, 1)
    expect(page.locator("#stage")).to_contain_text("No dog here")


def download(page: Any, button: str) -> bytes:
    with page.expect_download() as saving:
        page.locator(button).click()
    return Path(saving.value.path()).read_bytes()


def test_saved_files_are_the_command_line_s(
    opened: Any, dogmood: DogMood, bull_mastiff: Path, cottage: Path, tmp_path: Path
) -> None:
    odd = 'a "good", dog.jpg'
    files = {"rex.jpg": bull_mastiff.read_bytes(), "hut.jpg": cottage.read_bytes(), odd: b"woof"}
    readings = []
    for name, data in files.items():
        try:
            readings.append(dogmood.read_photo(open_photo(data, name), explain=True))
        except Exception as error:
            readings.append(dogmood.unreadable(name, str(error)))
    with open_output(tmp_path / "out.csv") as write:
        for reading in readings:
            write(reading)
    page = opened()
    page.evaluate(DROP, [sent(name, data) for name, data in files.items()])
    all_read(page, 3)
    saved = download(page, "#save-csv")
    assert saved == (tmp_path / "out.csv").read_bytes()
    assert len(list(csv.DictReader(io.StringIO(saved.decode())))) == 3
    assert json.loads(download(page, "#save-json")) == [reading.to_dict() for reading in readings]
    picture = annotated(open_photo(bull_mastiff), dogmood.read(bull_mastiff, explain=True))
    with Image.open(io.BytesIO(download(page, "#save-picture"))) as image:
        assert np.array_equal(np.asarray(image), np.asarray(picture))


def test_a_picture_that_the_browser_cannot_draw_comes_from_the_server(opened: Any, bull_mastiff: Path) -> None:
    with Image.open(bull_mastiff) as image:
        tiff = encoded(image.convert("RGB"), "TIFF")
    page = opened()
    drop(page, rex_tiff=tiff)
    all_read(page, 1)
    expect(page.locator("#stage .bar")).to_have_count(5)
    drawn = page.locator("#stage img")
    for _ in range(600):
        if drawn.evaluate("image => image.complete && image.naturalWidth > 0"):
            break
        page.wait_for_timeout(100)
    assert drawn.evaluate("image => image.naturalWidth") == 512


def test_emotions_can_be_chosen(opened: Any, bull_mastiff: Path) -> None:
    page = opened()
    drop(page, rex_jpg=bull_mastiff.read_bytes())
    all_read(page, 1)
    page.locator("#options summary").click()
    for emotion in ("happiness", "sadness", "relaxed"):
        page.locator(f"#choose-{emotion}").uncheck()
    expect(page.locator(".bar")).to_have_count(2)
    all_read(page, 1)
    assert sorted(bars(page)) == ["anger", "fear"]
    # Two must remain.
    page.locator("#choose-fear").click()
    expect(page.locator("#choose-fear")).to_be_checked()


def test_all_is_forgotten_on_demand(opened: Any, cottage: Path) -> None:
    page = opened()
    drop(page, hut_jpg=cottage.read_bytes())
    all_read(page, 1)
    page.locator("#clear").click()
    expect(page.locator("#results")).to_be_hidden()
    expect(page.locator("#files")).to_be_focused()
    assert page.evaluate("() => localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_names_of_files_are_text_not_markup(opened: Any, cottage: Path) -> None:
    page = opened()
    page.evaluate(DROP, [sent("<img src=x onerror=alert(1)>.jpg", cottage.read_bytes())])
    all_read(page, 1)
    expect(page.locator("figcaption")).to_contain_text("<img src=x onerror=alert(1)>.jpg")
    expect(page.locator("figcaption img")).to_have_count(0)


def test_a_token_comes_with_the_address_and_leaves_it(opened: Any, readers: Readers, cottage: Path) -> None:
    with serving(readers, token=TOKEN) as address:
        page = opened(f"{address}#token=woof%20%26%20wag")
        assert page.url == address
        drop(page, hut_jpg=cottage.read_bytes())
        all_read(page, 1)
        expect(page.locator("#stage")).to_contain_text("No dog here")


def test_without_a_token_the_page_asks_for_it(chromium: Any, readers: Readers) -> None:
    with serving(readers, token=TOKEN) as address:
        page = Watched(chromium, address).page
        expect(page.locator("#token")).to_be_focused()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#trouble")).to_contain_text("not the token")
        page.locator("#token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#intake")).to_be_visible()
        expect(page.locator("#ask-token")).to_be_hidden()
        page.context.close()


def test_the_docs_are_drawn_without_another_site(chromium: Any, address: str) -> None:
    watched = Watched(chromium, f"{address}docs")
    expect(watched.page.locator(".opblock")).to_have_count(5)
    watched.page.locator(".opblock-summary").first.click()
    expect(watched.page.locator(".parameters").first).to_contain_text("explain")
    watched.check()
    watched.context.close()


def test_when_the_server_is_gone_the_page_says_so(chromium: Any, readers: Readers, cottage: Path) -> None:
    with serving(readers) as address:
        page = Watched(chromium, address).page
        expect(page.locator("body.ready")).to_have_count(1)
    drop(page, hut_jpg=cottage.read_bytes())
    all_read(page, 1)
    expect(page.locator("#stage")).to_contain_text("The server does not answer")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(address).port or 0)) != 0
    page.context.close()


def test_a_tiny_picture_is_too_small(opened: Any) -> None:
    page = opened()
    drop(page, dot_png=encoded(corners(8, 8), "PNG"))
    all_read(page, 1)
    expect(page.locator("#stage")).to_contain_text("too small to show a dog")
