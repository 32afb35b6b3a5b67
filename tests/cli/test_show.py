from __future__ import annotations

import re
from dataclasses import replace

from dogmood.cli.show import show
from dogmood.reading import Reading
from test_reading import MODEL, REX


def test_a_dog_is_shown_line_by_line() -> None:
    assert show(REX, colour=False).splitlines() == [
        "rex.jpg  1280 x 960  1 dog",
        "  dog 1  happiness: 93.12%  (sure)  box 212, 80, 903, 951",
        "    happiness   93.12%  " + 22 * "█",
        "    relaxed      4.68%  █",
        "    fear         1.16%",
        "    sadness      0.70%",
        "    anger        0.40%",
        "    possible at 90 %: happiness",
    ]


def test_doubt_is_said() -> None:
    doubtful = replace(REX.dogs[0], sure=False, possible=("happiness", "relaxed"))
    shown = show(replace(REX, dogs=(doubtful,)), colour=False)
    assert "(not sure)" in shown
    assert shown.endswith("possible at 90 %: happiness, relaxed")


def test_every_dog_has_its_lines() -> None:
    pair = replace(REX, dogs=(REX.dogs[0], replace(REX.dogs[0], dog=2)))
    lines = show(pair, colour=False).splitlines()
    assert lines[0].endswith("2 dogs")
    assert [line[:7] for line in lines if line.startswith("  dog")] == ["  dog 1", "  dog 2"]


def test_no_dog_is_one_line() -> None:
    assert show(Reading("cat.jpg", "no_dog", 10, 20, MODEL), colour=False) == "cat.jpg  10 x 20  no dog"


def test_colours_change_nothing_but_the_looks() -> None:
    coloured = show(REX, colour=True)
    assert "\x1b[" in coloured
    plain = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()]
    assert plain == show(REX, colour=False).splitlines()


def test_where_it_looked_stands_beside_the_bars() -> None:
    shares = {"happiness": {"muzzle": 0.481, "rest_of_head": 0.3, "backdrop": 0.219}, "fear": {"backdrop": 1.0}}
    lines = show(replace(REX, dogs=(replace(REX.dogs[0], looked_at=shares),)), colour=False).splitlines()
    assert lines[2] == "    happiness   93.12%  " + 22 * "█" + "    48 % muzzle, 30 % rest of head"
    assert lines[3] == "    relaxed      4.68%  █"
    assert lines[4] == "    fear         1.16%  " + 24 * " " + "  100 % backdrop"
