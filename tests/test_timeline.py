from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.emotions import COLOURS, EMOTIONS
from dogmood.timeline import Series, clock, timeline_svg

SVG = "{http://www.w3.org/2000/svg}"
CALM = dict(zip(EMOTIONS, (0.0, 0.25, 0.0, 0.0, 0.75), strict=True))


def series(times: list[float], sure: bool = True) -> Series:
    made = Series()
    for time in times:
        made.add(time, CALM, sure)
    return made


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (7, "0:07"),
        (0.5, "0:00.5"),
        (75.04, "1:15"),
        (3600, "1:00:00"),
        (7325.2, "2:02:05.2"),
        (0.967, "0:01"),
        (1.96, "0:02"),
        (59.97, "1:00"),
        (3599.96, "1:00:00"),
        (0.04, "0:00"),
    ],
)
def test_times_are_written_as_people_write_them(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_two_hours_stay_small_and_lose_no_reading() -> None:
    long = Series()
    for i in range(36_000):
        long.add(i / 5, CALM if i % 2 else dict.fromkeys(EMOTIONS, 0.2), i % 4 == 0)
    columns = long.columns()
    assert 150 <= len(columns) <= 300
    assert columns[0][0] == 0
    assert columns[-1][0] + long.step >= 7199.8
    assert long.shares()["relaxed"] == pytest.approx((0.75 + 0.2) / 2)
    assert columns[7][1][-1] == pytest.approx(0.25, abs=0.02)
    assert len(timeline_svg(long, "rex")) < 60_000


def test_a_drawing_says_in_words_what_it_shows_and_stacks_its_colours() -> None:
    root = ElementTree.fromstring(timeline_svg(series([0.0, 0.2, 0.4]), 'rex & "co" <b>', alone=True))
    assert root.get("aria-label") == 'rex & "co" <b>: relaxed 75%, fear 25%'
    bands = {
        path.get("fill"): path.get("d") for path in root.iter(f"{SVG}path") if path.get("fill") in COLOURS.values()
    }
    assert set(bands) == {COLOURS["fear"], COLOURS["relaxed"]}
    assert all(path is not None and path.count("M") == 3 for path in bands.values())


def test_where_no_dog_is_seen_nothing_is_drawn_and_unsure_is_not_marked() -> None:
    drawn = timeline_svg(series([0.0, 9.8], sure=False), "rex", 0, 10)
    root = ElementTree.fromstring(drawn)
    band = next(path.get("d") or "" for path in root.iter(f"{SVG}path") if path.get("fill") == COLOURS["relaxed"])
    starts = [float(part.split()[0]) for part in band.split("M")[1:]]
    assert starts == pytest.approx([0, 784])
    assert "<title>sure</title>" not in drawn


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.floats(0.01, 100))
@settings(deadline=None)
def test_any_times_give_a_drawing_within_its_frame(times: list[float], step: float) -> None:
    made = Series(step)
    for time in times:
        made.add(time, CALM, True)
    root = ElementTree.fromstring(timeline_svg(made, "rex"))
    ticks = [float(text.get("x") or "nan") for text in root.iter(f"{SVG}text")]
    assert len(ticks) <= 10
    assert all(-1 <= x <= 801 for x in ticks)
