"""A page is made of any file of readings, or a sentence says why not; what it holds is text, never markup."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.errors import UsageError
from dogmood.outputs import csv_header, csv_lines, json_line
from dogmood.report.page import write_report
from mutations import damaged
from parsed_html import Parsed
from test_results import BAD, CAT, FRAMES, PAIR

LONG = 20 if "DOGMOOD_LONG" in os.environ else 1
READINGS = [PAIR, CAT, BAD, *FRAMES]
LINES = {
    "jsonl": "".join(json_line(reading) + "\n" for reading in READINGS).encode(),
    "csv": (csv_header() + "".join(csv_lines(reading) for reading in READINGS)).encode(),
}
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=3),
    st.sampled_from(["\ud800", "a\0b", "x" * 5000, "<script>alert(1)</script>", "/dev/zero", "\x1b[2J", 10**400]),
    st.sampled_from(["9999-99-99T99:99:99", "2026-05-01T10:22:03", 1e11, -1, 0.0]),
)  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readings")


def made(path: Path) -> None:
    """Make the page, or hear one sentence."""
    said = ""
    try:
        page = write_report(path)
    except UsageError as error:
        said = str(error)
    if said:
        assert said.endswith(".")
        assert path.name in said
        return
    parsed = Parsed(page.read_text("utf-8"))
    assert not {"script", "iframe", "object", "embed", "form", "link", "base"} & {tag for tag, _ in parsed.tags}
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)


@pytest.mark.parametrize("form", LINES)
@settings(max_examples=100 * LONG)
@given(data=st.data())
def test_damage(form: str, data: st.DataObject, room: Path) -> None:
    path = room / f"damaged.{form}"
    path.write_bytes(data.draw(damaged(LINES[form])))
    made(path)


@settings(max_examples=200 * LONG)
@given(data=st.data())
def test_a_value_of_another_kind(data: st.DataObject, room: Path) -> None:
    whole = json.loads(data.draw(st.sampled_from(LINES["jsonl"].splitlines())))
    place = whole
    # Any of the values, however deep it lies.
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(ANYTHING)
    path = room / "typed.jsonl"
    path.write_text(json.dumps(whole) + "\n")
    made(path)


@pytest.mark.parametrize(
    "text", ["[" * 100_000 + "\n", '{"source": ' * 50_000 + "\n", "9" * 6000 + "\n", "\0\n", "null\n"]
)
def test_odd_json(text: str, room: Path) -> None:
    path = room / "odd.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="holds something else than readings"):
        write_report(path)
