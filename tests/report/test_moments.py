from __future__ import annotations

from dataclasses import replace

from dogmood.emotions import EMOTIONS
from dogmood.reading import Row
from dogmood.report.moments import Moments
from test_reading import REX


def row(source: str, emotion: str, probability: float, time: float | None = None, sure: bool = True) -> Row:
    rest = (1 - probability) / 4
    chances = {name: probability if name == emotion else rest for name in EMOTIONS}
    dog = replace(
        REX.dogs[0],
        emotion=emotion,
        probability=probability,
        probabilities=chances,
        sure=sure,
        possible=(emotion,),
        track=None if time is None else 1,
    )
    return replace(REX, source=source, time=time, dogs=(dog,)).to_rows()[0]


def test_the_surest_photos_come_first_and_the_rest_is_counted() -> None:
    moments = Moments(limit=2)
    for source, probability, sure in (("a", 0.7, True), ("b", 0.9, False), ("c", 0.8, True), ("d", 0.3, False)):
        moments.add(row(source, "fear", probability, sure=sure))
    best, count = moments.of("fear")
    assert [moment.source for moment in best] == ["c", "a"]
    assert count == 4
    assert moments.of("anger") == ([], 0)


def test_the_closest_calls_are_to_be_checked_first() -> None:
    moments = Moments(limit=9)
    for source, probability in (("a", 0.6), ("b", 0.3), ("c", 0.45)):
        moments.add(row(source, "relaxed", probability, sure=False))
    moments.add(row("sure", "relaxed", 0.99))
    assert [moment.source for moment in moments.of("doubt")[0]] == ["b", "c", "a"]


def test_a_stretch_of_a_video_is_one_moment_at_its_clearest() -> None:
    moments = Moments(limit=9)
    for time, probability in ((0.0, 0.5), (0.2, 0.9), (1.8, 0.7), (9.0, 0.6)):
        moments.add(row("clip.mp4", "anger", probability, time))
    moments.add(row("clip.mp4", "relaxed", 0.8, 0.4))
    (first, second), count = moments.of("anger")
    assert count == 2
    assert (first.start, first.end, first.time, first.probability) == (0.0, 1.8, 0.2, 0.9)
    assert (second.start, second.end, second.time) == (9.0, 9.0, 9.0)
