from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clips import grey_by_time, make_clip, moving_dogs, steady, still
from dogmood import DogMood
from dogmood.cli.tracks_seen import TracksSeen
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.footage import Footage
from dogmood.photo import Photo
from dogmood.reading import DogReading, Reading, json_schema
from pictures import corners
from test_reading import REX


@pytest.fixture(scope="module")
def pair(bull_mastiff: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of a dog and its mirror image, side by side, 2.4 s long."""
    folder = tmp_path_factory.mktemp("pair")
    with Image.open(bull_mastiff) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "mirrored.png")
    return make_clip(folder / "pair.mp4", steady(2.4, 10), moving_dogs([bull_mastiff, folder / "mirrored.png"]))


@pytest.fixture(scope="module")
def readings(dogmood: DogMood, pair: Path) -> list[Reading]:
    return [reading for _, reading in Footage(dogmood, pair, fps=5)]


def test_every_sample_is_a_reading_with_its_time(readings: list[Reading], pair: Path) -> None:
    assert [reading.time for reading in readings] == pytest.approx([i / 5 for i in range(12)], abs=0.01)
    for reading in readings:
        assert (reading.source, reading.status, reading.width, reading.height) == (str(pair), "read", 512, 256)
        written = json.loads(json.dumps(reading.to_dict()))
        jsonschema.validate(written, json_schema())
        assert list(written)[:3] == ["source", "status", "time"]


def test_frames_read_side_by_side_are_the_same(dogmood: DogMood, pair: Path, readings: list[Reading]) -> None:
    at_once = DogMood(dogmood.model.name, side_by_side=2)
    again = [reading for _, reading in Footage(at_once, pair, fps=5)]
    assert [reading.to_dict() for reading in again] == [reading.to_dict() for reading in readings]


def test_each_dog_keeps_its_number(readings: list[Reading]) -> None:
    sides = [(dog.box[0] + dog.box[2] < 512, dog.track) for reading in readings for dog in reading.dogs]
    assert len(set(sides)) == 2
    assert {track for _, track in sides} == {1, 2}


def test_probabilities_are_smoothed_and_judged_anew(dogmood: DogMood, pair: Path, readings: list[Reading]) -> None:
    raw = [reading for _, reading in Footage(dogmood, pair, fps=5, smooth=0)]
    assert raw[0].dogs[0].probabilities == pytest.approx(readings[0].dogs[0].probabilities)
    assert raw[5].dogs != readings[5].dogs

    def restless(frames: list[Reading]) -> float:
        values = np.array([list(frame.dogs[0].probabilities.values()) for frame in frames])
        return float(np.abs(np.diff(values, axis=0)).sum())

    assert restless(readings) < restless(raw)
    for dog in (dog for reading in readings for dog in reading.dogs):
        assert sum(dog.probabilities.values()) == pytest.approx(1)
        assert dog.emotion == max(dog.probabilities, key=dog.probabilities.__getitem__)
        assert dog.probability == dog.probabilities[dog.emotion]
        assert dog.sure == (dog.probability >= dogmood.settings.doubt.sure)
        assert dog.emotion in dog.possible


@pytest.mark.parametrize("at", [1, 7, 11])
def test_a_video_that_was_stopped_goes_on_as_if_it_had_not_been(
    dogmood: DogMood, pair: Path, readings: list[Reading], at: int
) -> None:
    first = Footage(dogmood, pair, fps=5)
    frames = iter(first)
    begun = [next(frames)[1] for _ in range(at)]
    state = json.loads(json.dumps(first.state()))
    frames.close()  # type: ignore[attr-defined]
    rest = [reading for _, reading in Footage(dogmood, pair, fps=5, state=state)]
    assert [reading.to_dict() for reading in begun + rest] == [reading.to_dict() for reading in readings]


def test_a_hidden_dog_keeps_its_number(dogmood: DogMood, bull_mastiff: Path, tmp_path: Path) -> None:
    dog = moving_dogs([bull_mastiff])

    def picture(time: float) -> NDArray[np.uint8]:
        return np.full_like(dog(time), 120) if 0.8 <= time < 1.6 else dog(time)

    clip = make_clip(tmp_path / "a.mp4", steady(2.4, 10), picture)
    found = [[one.track for one in reading.dogs] for _, reading in Footage(dogmood, clip)]
    assert found[0] == found[-1] == [1]
    assert found[5] == found[6] == []


def test_a_video_without_dogs_says_so_frame_by_frame(dogmood: DogMood, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(1), grey_by_time())
    assert [reading.status for _, reading in Footage(dogmood, clip)] == ["no_dog"] * 5


def test_a_video_cut_short_ends_with_the_reason(dogmood: DogMood, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    clip = make_clip(tmp_path / "a.mkv", steady(4), lambda time: np.roll(noise, round(30 * time), axis=1))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    *whole, last = [reading for _, reading in Footage(dogmood, clip)]
    assert {reading.status for reading in whole} == {"no_dog"}
    assert last.status == "unreadable"
    assert "cut short" in (last.reason or "")
    assert last.time is not None
    assert last.time >= (whole[-1].time or 0)
    jsonschema.validate(last.to_dict(), json_schema())


def test_settings_are_kept_when_going_on(dogmood: DogMood, pair: Path) -> None:
    footage = Footage(dogmood, pair, fps=5)
    next(iter(footage))
    with pytest.raises(UsageError, match="--fps 5 --smooth 1"):
        Footage(dogmood, pair, fps=2, state=footage.state())


@pytest.mark.parametrize("wrong", [{"fps": 0}, {"fps": -1}, {"fps": float("nan")}, {"smooth": -1}])
def test_settings_out_of_range_are_refused(dogmood: DogMood, pair: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="Samples a second"):
        Footage(dogmood, pair, **wrong)


class Blind:
    """Stands in for a reader: finds the same two dogs in every frame, quickly."""

    emotions = EMOTIONS
    side_by_side = 1

    def read_photo(self, photo: Photo, explain: bool) -> Reading:
        dogs = tuple(replace(REX.dogs[0], dog=i, box=(40.0 * i, 0.0, 40.0 * i + 20, 20.0)) for i in (1, 2))
        return replace(REX, source=photo.source, dogs=dogs)

    def judged_anew(self, dog: DogReading, probabilities: dict[str, float]) -> DogReading:
        return replace(dog, probabilities=probabilities)


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", steady(50, 30), still(corners()))
    dogs, held = TracksSeen(clip), []
    tracemalloc.start()
    try:
        for i, (_, reading) in enumerate(Footage(Blind(), clip, fps=30)):  # type: ignore[arg-type]
            dogs.add(reading)
            if i in (500, 1400):
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert dogs.frames == 1500
    # The plots' steps fill up meanwhile; the readings of 900 frames would be ten times as much.
    assert held[1] < held[0] + 150_000
