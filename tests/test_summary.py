from __future__ import annotations

from dataclasses import replace

from dogmood.reading import Reading
from dogmood.summary import Summary
from test_reading import MODEL, REX


def test_photos_frames_dogs_and_failures_are_counted() -> None:
    summary = Summary()
    two = replace(REX, dogs=(REX.dogs[0], replace(REX.dogs[0], emotion="fear", sure=False)))
    for reading in (REX, two, Reading("c", "no_dog", 9, 9, MODEL), Reading("x", "unreadable", 0, 0, MODEL, reason="")):
        summary.add(reading)
    summary.add(replace(REX, time=0.2))
    summary.add_video(readable=True)
    summary.add_video(readable=False)
    photos, video, dogs, skipped, took = summary.lines(skipped=1200)
    assert photos.startswith("4 photos: 2 with a dog, 1 without, 1 unreadable; ")
    assert video == "2 videos, 1 unreadable; 1 frame: 1 with a dog, 0 without."
    assert dogs == "4 readings of a dog: happiness 3, fear 1; sure of 3."
    assert skipped == "1,200 of the photos and videos had been read before."
    assert took.startswith("It took ")
    assert summary.readable == 4


def test_of_nothing_nothing_is_said() -> None:
    assert Summary().lines(skipped=0) == []
