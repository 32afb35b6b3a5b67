"""A run without a network: a program to be killed while it writes to a database.

    python writer.py ADDRESS PHOTOS FRAMES

writes photos and then a video, as `dogmood read --resume` does, and says each source
once it has been written.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from dogmood.reading import DogReading, ModelInfo, Reading

MODEL = ModelInfo("base", "1.2.0", "0" * 64)
DOG = DogReading(
    1,
    (212.04, 80.5, 903.0, 951.0),
    (301.0, 92.0, 640.0, 455.0),
    0.99812,
    "happiness",
    0.93124,
    {"anger": 0.004, "fear": 0.0116, "happiness": 0.93124, "sadness": 0.007, "relaxed": 0.0468},
    True,
    ("happiness",),
)
CLIP = "clip.mp4"


def photo(i: int) -> Reading:
    """Return the reading of a photo: one of none, one or two dogs."""
    dogs = tuple(replace(DOG, dog=number + 1, presence=i / 1000) for number in range(i % 3))
    return Reading(f"{i:04d}.jpg", "read" if dogs else "no_dog", 1280, 960, MODEL, dogs)


def frame(i: int) -> Reading:
    """Return the reading of a frame."""
    return Reading(CLIP, "read", 640, 480, MODEL, (replace(DOG, track=1, presence=i / 1000),), time=i / 5)


def all_of(photos: int, frames: int) -> list[Reading]:
    """Return what is there in the end."""
    return [*map(photo, range(photos)), *map(frame, range(frames))]


def write(address: str, photos: int, frames: int) -> None:
    """Do as `dogmood read` does."""
    from dogmood.database import results as module
    from dogmood.results import open_results

    module._SECONDS = 0.0  # every frame's place is kept at once
    with open_results(address, resume=True) as results:
        results.check_model(MODEL)
        for i in range(photos):
            if not results.has(photo(i).source):
                results.write(photo(i))
                print(photo(i).source, flush=True)
        if frames and not results.has(CLIP):
            begin = (results.video_state(CLIP) or {"next": 0})["next"]
            results.keep_place(CLIP, results.video_state(CLIP))
            for i in range(begin, frames):
                results.write(frame(i))
                results.keep_place(CLIP, {"next": i + 1})
                print(CLIP, i, flush=True)
            results.end_video(CLIP)
    print("done", flush=True)


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
