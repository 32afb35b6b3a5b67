"""What a reading is: one tree of frozen dataclasses, and every form it is written in.

JSON, table rows and the JSON Schema all come from here; the field names are the
contract that outputs keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dogmood.boxes import Box
from dogmood.emotions import EMOTIONS
from dogmood.regions import REGIONS

Status: TypeAlias = Literal["read", "no_dog", "unreadable"]
Row: TypeAlias = dict[str, str | int | float | bool | None]

_DIGITS = 4
"""Digits of a written probability: finer than any two machines agree on."""

_TIME_DIGITS = 3
"""Digits of a written time: milliseconds, finer than any video's frames."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model made a reading."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class DogReading:
    """One dog.

    Attributes:
        dog: its number, from 1, left to right.
        box: the body: x0, y0, x1, y1 in pixels of the upright photo.
        head: the head likewise, or None where none was found.
        presence: how sure the finder is of this dog, in [0, 1].
        emotion: the emotion with the highest probability.
        probability: that probability, in [0, 1].
        probabilities: of each chosen emotion; they sum to 1.
        sure: whether ``probability`` reaches the model's threshold.
        possible: the conformal set, likeliest first: the emotions that cannot be
            ruled out at 90 %.  Written as ``set``.
        saliency: where asked for, for each emotion a map ``(rows, columns)`` in
            [0, 1] over the whole photo; not written to JSON or tables.
        looked_at: where asked for, for each emotion the share of its map on each of
            `dogmood.regions.REGIONS`, summing to 1.  An emotion for which nothing
            speaks is left out; so are the parts of a head that was not found.
        track: in a video the dog's own number, the same in every frame; in a photo
            None, and not written.
    """

    dog: int
    box: Box
    head: Box | None
    presence: float
    emotion: str
    probability: float
    probabilities: Mapping[str, float]
    sure: bool
    possible: tuple[str, ...]
    saliency: Mapping[str, NDArray[np.float32]] | None = field(default=None, compare=False, repr=False)
    looked_at: Mapping[str, Mapping[str, float]] | None = None
    track: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON says of this dog."""
        result: dict[str, Any] = {
            "dog": self.dog,
            **({} if self.track is None else {"track": self.track}),
            "box": _rounded(self.box),
            "head": None if self.head is None else _rounded(self.head),
            "presence": round(self.presence, _DIGITS),
            "emotion": self.emotion,
            "probability": round(self.probability, _DIGITS),
            "probabilities": {name: round(p, _DIGITS) for name, p in self.probabilities.items()},
            "sure": self.sure,
            "set": list(self.possible),
        }
        if self.looked_at is not None:
            result["looked_at"] = {
                emotion: {region: round(share, _DIGITS) for region, share in shares.items()}
                for emotion, shares in self.looked_at.items()
            }
        return result

    def sorted_probabilities(self) -> list[tuple[str, float]]:
        """Return the emotions and their probabilities, highest first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])


@dataclass(frozen=True)
class Reading:
    """What was read from one photo, or from one frame of a video.

    Attributes:
        source: the photo's or the video's path, or what stands for it.
        status: ``read``, ``no_dog`` or ``unreadable``.
        width: of the upright photo in pixels; 0 where it is unreadable.
        height: likewise.
        model: which model read it.
        dogs: from left to right; empty unless ``status`` is ``read``.
        reason: why the photo is unreadable, in a sentence; else None.
        mask: the finder's soft mask, a regular grid of values in [0, 1] over the
            photo; not written.
        time: of a video's frame, in seconds from the video's start; of a photo None,
            and not written.
        taken: when the photo was taken, by the camera's clock, as ISO 8601 says it;
            None, and not written, where the photo does not say.
    """

    source: str
    status: Status
    width: int
    height: int
    model: ModelInfo
    dogs: tuple[DogReading, ...] = ()
    reason: str | None = None
    mask: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    time: float | None = None
    taken: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON says it (see `json_schema`)."""
        result: dict[str, Any] = {"source": written_source(self.source), "status": self.status}
        if self.time is not None:
            result["time"] = round(self.time, _TIME_DIGITS)
        if self.taken is not None:
            result["taken"] = self.taken
        if self.status == "unreadable":
            result["reason"] = written_source(self.reason or "")
        else:
            result |= {"width": self.width, "height": self.height}
        result["model"] = vars(self.model).copy()
        result["dogs"] = [dog.to_dict() for dog in self.dogs]
        return result

    def to_rows(self) -> list[Row]:
        """Return one flat row a dog, or one row without a dog; see `COLUMNS`."""
        return rows_of(self.to_dict())


def rows_of(written: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a reading that stands as JSON says it (`Reading.to_dict`)."""
    rows = []
    for dog in written["dogs"] or [{}]:
        row: Row = dict.fromkeys(COLUMNS)
        row |= {key: written.get(key) for key in ("source", "status", "reason", "width", "height", "time", "taken")}
        row |= {"model": written["model"]["name"], "model_version": written["model"]["version"]}
        if dog:
            row |= {key: dog.get(key) for key in ("dog", "track", "presence", "emotion", "probability", "sure")}
            row |= dog["probabilities"]
            row["set"] = " ".join(dog["set"])
            row |= dict(zip(_edges("box"), dog["box"], strict=True))
            row |= dict(zip(_edges("head"), dog["head"] or [None] * 4, strict=True))
            shares = dog.get("looked_at", {}).get(dog["emotion"], {})
            row |= {f"looked_at_{region}": share for region, share in shares.items()}
        row["dogs"] = len(written["dogs"])
        rows.append(row)
    return rows


def written_source(text: str) -> str:
    """Spell out what UTF-8 cannot hold: file names may be any bytes, and no two become one."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _edges(name: str) -> list[str]:
    return [f"{name}_{edge}" for edge in ("x0", "y0", "x1", "y1")]


COLUMNS: dict[str, type] = {
    "source": str,
    "status": str,
    "reason": str,
    "width": int,
    "height": int,
    "dog": int,
    "emotion": str,
    "probability": float,
    **dict.fromkeys(EMOTIONS, float),
    "sure": bool,
    "set": str,
    "presence": float,
    **dict.fromkeys(_edges("box") + _edges("head"), float),
    **dict.fromkeys([f"looked_at_{region}" for region in REGIONS], float),
    "model": str,
    "model_version": str,
    "time": float,
    "track": int,
    "taken": str,
    "dogs": int,
}
"""The columns of CSV and Parquet, in order, with their types; any may be empty."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one reading."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    emotion = {"enum": list(EMOTIONS)}
    box = {
        "type": "array",
        "description": "x0, y0, x1, y1 in pixels of the upright photo",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 4,
    }
    text, count = {"type": "string"}, {"type": "integer", "minimum": 1}
    dog = _object(
        dog=count,
        box=box,
        head={"anyOf": [box, {"type": "null"}]},
        presence=share,
        emotion=emotion,
        probability=share,
        probabilities={"type": "object", "propertyNames": emotion, "additionalProperties": share},
        sure={"type": "boolean"},
        set={"type": "array", "items": emotion, "minItems": 1, "uniqueItems": True},
    )
    dog["properties"]["looked_at"] = {
        "type": "object",
        "description": "where asked for: of each emotion's map, the share on each part of the photo; they sum to 1",
        "propertyNames": emotion,
        "additionalProperties": {
            "type": "object",
            "propertyNames": {"enum": list(REGIONS)},
            "additionalProperties": share,
        },
    }
    dog["properties"]["track"] = count
    model = _object(name=text, version=text, sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"})
    common = {"source": text, "model": model}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dogmood reading",
        # Not every reading has these: a time belongs to a video's frame, and not
        # every photo says when it was taken.
        "properties": {
            "time": {"type": "number", "description": "seconds from the video's start"},
            "taken": {"type": "string", "description": "when the photo was taken, ISO 8601, by the camera's clock"},
        },
        "oneOf": [
            _object(
                **common,
                status={"const": "read"},
                width=count,
                height=count,
                dogs={"type": "array", "items": dog, "minItems": 1},
            ),
            _object(
                **common, status={"const": "no_dog"}, width=count, height=count, dogs={"type": "array", "maxItems": 0}
            ),
            _object(**common, status={"const": "unreadable"}, reason=text, dogs={"type": "array", "maxItems": 0}),
        ],
    }


def _object(**properties: Any) -> dict[str, Any]:
    # Further keys are allowed: keys may be added in later versions, never renamed.
    return {"type": "object", "properties": properties, "required": list(properties)}


def _rounded(box: Box) -> list[float]:
    return [round(edge, 1) for edge in box]
