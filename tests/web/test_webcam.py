"""The webcam in the page: a real Chromium whose camera plays a film of a dog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Watched, all_read, chromium_with, expect, serving
from PIL import Image

from dogmood.web.readers import Readers
from pictures import encoded

CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@pytest.fixture(scope="module")
def filmed(bull_mastiff: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose camera sees a dog that moves to and fro."""
    film = tmp_path_factory.mktemp("film") / "dog.mjpeg"
    with Image.open(bull_mastiff) as image:
        dog = image.convert("RGB").resize((480, 480))
    frames = []
    for shift in [*range(0, 40, 4), *range(40, 0, -4)]:
        frame = Image.new("RGB", (640, 480), (90, 110, 80))
        frame.paste(dog, (80 + shift, 0))
        frames.append(encoded(frame, "JPEG", quality=90))
    film.write_bytes(b"".join(frames))
    with chromium_with(*CAMERA, f"--use-file-for-fake-video-capture={film}") as browser:
        yield browser


def test_what_the_webcam_sees_is_read_while_it_moves(filmed: Any, readers: Readers, tmp_path: Path) -> None:
    with serving(readers, keep=tmp_path) as address:
        watched = Watched(filmed, address)
        page = watched.page
        under_way, most = set(), 0

        def begin(request: Any) -> None:
            nonlocal most
            if "/v1/read" in request.url:
                under_way.add(request)
                most = max(most, len(under_way))

        page.on("request", begin)
        page.on("requestfinished", lambda request: under_way.discard(request))
        page.on("requestfailed", lambda request: under_way.discard(request))
        page.locator("#use-camera").click()
        panel = page.locator("#live-dogs .dog")
        expect(panel).to_have_count(1)
        expect(page.locator("#rate")).to_contain_text("reading")
        # In the fixed order, and one dog stays one dog.
        order = panel.locator(".name").all_inner_texts()
        assert order == ["anger", "fear", "happiness", "sadness", "relaxed"]
        panel.locator(".bar").first.hover()
        expect(page.locator("#live-frame .map")).to_have_css("opacity", "1")
        expect(panel.locator("h3")).to_have_text("Dog 1")
        expect(page.locator("#said")).to_contain_text("Dog 1:")
        assert most == 1  # never two frames at once
        assert list(tmp_path.iterdir()) == []  # frames are not kept

        page.locator("#take").click()
        all_read(page, 1)
        expect(page.locator("#stage .bar")).to_have_count(5)
        assert {path.suffix for path in tmp_path.iterdir()} == {".jpg", ".json"}

        page.locator("#stop-camera").click()
        expect(page.locator("#live")).to_be_hidden()
        expect(page.locator("#use-camera")).to_be_focused()
        assert page.locator("#video").evaluate("video => video.srcObject") is None
        watched.check()
        watched.context.close()


def test_a_webcam_that_cannot_be_had_is_one_sentence(filmed: Any, readers: Readers) -> None:
    with serving(readers) as address:
        watched = Watched(filmed, address)
        page = watched.page
        for name, sentence in (
            ("NotFoundError", "There is no webcam on this machine."),
            ("NotAllowedError", "The browser did not allow the webcam: allow it for this page, then try again."),
        ):
            expect(page.locator("#use-camera")).to_be_enabled()
            page.evaluate(REFUSE, name)
            page.locator("#use-camera").click()
            expect(page.locator("#trouble")).to_have_text(sentence)
        watched.check()
        watched.context.close()


def test_a_webcam_that_goes_away_is_not_read_on(filmed: Any, readers: Readers) -> None:
    with serving(readers) as address:
        watched = Watched(filmed, address)
        page = watched.page
        page.locator("#use-camera").click()
        expect(page.locator("#rate")).to_contain_text("reading")
        # As where it is unplugged, or no longer allowed.
        page.locator("#video").evaluate("video => video.srcObject.getVideoTracks()[0].stop()")
        stopped = "The webcam has stopped: plug it in or allow it, then try again."
        expect(page.locator("#trouble")).to_have_text(stopped, timeout=10_000)
        expect(page.locator("#live")).to_be_hidden()
        expect(page.locator("#use-camera")).to_be_enabled()
        expect(page.locator("#use-camera")).to_be_focused()
        page.locator("#use-camera").click()
        expect(page.locator("#rate")).to_contain_text("reading")
        expect(page.locator("#trouble")).to_be_hidden()
        watched.check()
        watched.context.close()


REFUSE = """name => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", name));
}"""
TRACK = """async frames => {
  const { Tracks } = await import("/page/js/tracks.js");
  const tracks = new Tracks();
  return frames.map(({ dogs, now }) => tracks.update(dogs, now));
}"""


def seen(emotion: str, share: float, left: float, sure: bool = True) -> dict[str, Any]:
    other = "relaxed" if emotion != "relaxed" else "fear"
    probabilities = {emotion: share, other: 1 - share}
    dog = {"dog": 1, "box": [left, 0, left + 100, 100], "emotion": emotion, "probability": share, "sure": sure}
    return dog | {"probabilities": probabilities, "set": [emotion]}


@pytest.fixture(scope="module")
def track(filmed: Any, readers: Readers) -> Iterator[Any]:
    with serving(readers) as address:
        page = Watched(filmed, address).page
        yield lambda *frames: page.evaluate(TRACK, [{"dogs": dogs, "now": now} for now, dogs in frames])


def test_dogs_keep_their_numbers_while_they_move_and_change_places_in_the_list(track: Any) -> None:
    a, b = seen("fear", 0.9, 0), seen("anger", 0.9, 500)
    frames = track(
        (0, [a, b]), (0.1, [seen("anger", 0.9, 510), seen("fear", 0.9, 20)]), (0.2, [seen("anger", 0.9, 530)])
    )
    assert [{dog["dog"]: dog["emotion"] for dog in frame} for frame in frames] == [{1: "fear", 2: "anger"}] * 3


def test_an_unseen_dog_is_forgotten_and_a_new_one_gets_a_new_number(track: Any) -> None:
    frames = track((0, [seen("fear", 0.9, 0)]), (1, []), (2, []), (3, [seen("fear", 0.9, 0)]))
    assert [[dog["dog"] for dog in frame] for frame in frames] == [[1], [1], [], [2]]


def test_one_odd_frame_does_not_turn_the_verdict(track: Any) -> None:
    calm, odd = [seen("relaxed", 0.9, 0)], [seen("fear", 0.9, 0)]
    *_, after, later = track((0, calm), (0.1, calm), (0.2, odd), (5, odd))
    assert (after[0]["emotion"], after[0]["sure"], after[0]["set"]) == ("relaxed", True, ["relaxed"])
    assert sum(after[0]["probabilities"].values()) == pytest.approx(1)
    assert (later[0]["emotion"], later[0]["set"]) == ("fear", ["fear"])


def test_smoothing_depends_on_time_not_on_the_number_of_frames(track: Any) -> None:
    start, end = (0, [seen("relaxed", 0.9, 0)]), [seen("fear", 0.9, 0)]
    few = track(start, (0.6, end))[-1][0]["probabilities"]["fear"]
    many = track(start, *((i / 10, end) for i in range(1, 7)))[-1][0]["probabilities"]["fear"]
    assert few == pytest.approx(many)
    assert 0.1 < few < 0.9
