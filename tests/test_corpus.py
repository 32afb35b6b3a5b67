"""Malformed and odd files through both doors; `corpus/make_pictures.py` and `make_videos.py` made them."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient

from clips import make_clip, steady, still
from dogmood.cli import main
from dogmood.reading import json_schema
from dogmood.web.app import create_app
from dogmood.web.settings import Settings
from pictures import corners

CORPUS = Path(__file__).with_name("corpus")

READ = None
EMPTY = "is empty"
NO_PICTURE = "is not a picture that can be read"
DAMAGED = "is damaged or cut short"
TOO_LARGE = "pixels"
TOO_SMALL = "too small to show a dog"
PASSES = "passes, which takes too long"
HEIC = ".heic"  # either the decoder is missing, or it says that the file is damaged

HEIC_TOO_LARGE = 422 if importlib.util.find_spec("pillow_heif") is None else 413

PICTURES: dict[str, tuple[str | None, int]] = {
    "header-only.jpg": (NO_PICTURE, 422),
    "cut-in-pixels.jpg": (DAMAGED, 422),
    "says-65500-square.jpg": (TOO_LARGE, 413),
    "says-12000-square.jpg": (READ, 413),
    "says-zero.jpg": (NO_PICTURE, 422),
    "progressive-says-12000-square.jpg": (TOO_LARGE, 413),
    "a-thousand-passes.jpg": (PASSES, 422),
    "no-tables.jpg": (DAMAGED, 422),
    "twelve-bits.jpg": (NO_PICTURE, 422),
    "arithmetic.jpg": (READ, 200),
    "lossless.jpg": (DAMAGED, 422),
    "segment-of-no-length.jpg": (READ, 200),
    "segment-beyond-the-end.jpg": (DAMAGED, 422),
    "exif-loops.jpg": (READ, 200),
    "exif-of-four-billion.jpg": (READ, 200),
    "exif-turns-by-text.jpg": (READ, 200),
    "exif-turns-by-99.jpg": (READ, 200),
    "exif-of-junk.jpg": (READ, 200),
    "exif-full.jpg": (READ, 200),
    "icc-of-junk.jpg": (READ, 200),
    "comments.jpg": (READ, 200),
    "cmyk.jpg": (READ, 200),
    "html-after.jpg": (READ, 200),
    "mpo-lies.jpg": (DAMAGED, 422),
    "pixel-bomb.png": (TOO_LARGE, 413),
    "flate-bomb.png": (READ, 200),
    "comment-bomb.png": (DAMAGED, 422),
    "profile-bomb.png": (DAMAGED, 422),
    "itxt-bomb.png": (DAMAGED, 422),
    "bilevel-9000-square.png": (READ, 200),
    "bad-sum.png": (NO_PICTURE, 422),
    "no-pixels.png": (DAMAGED, 422),
    "no-header.png": (NO_PICTURE, 422),
    "no-palette.png": (READ, 200),
    "three-bits.png": (NO_PICTURE, 422),
    "zero-wide.png": (NO_PICTURE, 422),
    "header-of-four-billion.png": (DAMAGED, 422),
    "pixels-of-junk.png": (DAMAGED, 422),
    "animated-out-of-bounds.png": (READ, 200),
    "animated-says-four-billion.png": (READ, 200),
    "sixteen-bits.png": (READ, 200),
    "transparent.png": (READ, 200),
    "palette.png": (READ, 200),
    "cut.png": (DAMAGED, 422),
    "exif-loops.png": (READ, 200),
    "says-65535-square.gif": (TOO_LARGE, 413),
    "frame-outside.gif": (TOO_LARGE, 413),
    "pixels-of-junk.gif": (DAMAGED, 422),
    "no-frame.gif": (NO_PICTURE, 422),
    "animated.gif": (READ, 200),
    "script.gif": (NO_PICTURE, 422),
    "says-16384-square.webp": (TOO_LARGE, 413),
    "canvas-without-frame.webp": (DAMAGED, 422),
    "animated-without-frame.webp": (DAMAGED, 422),
    "cut.webp": (DAMAGED, 422),
    "animated.webp": (READ, 200),
    "transparent.webp": (READ, 200),
    "negative.bmp": (TOO_LARGE, 413),
    "upside-down.bmp": (READ, 200),
    "says-two-billion.bmp": (TOO_LARGE, 413),
    "runs-of-junk.bmp": (DAMAGED, 422),
    "palette-of-four-billion.bmp": (DAMAGED, 422),
    "pixels-beyond-the-end.bmp": (DAMAGED, 422),
    "seven-bits.bmp": (DAMAGED, 422),
    "plain.tiff": (READ, 200),
    "pages-loop.tiff": (READ, 200),
    "pages-beyond-the-end.tiff": (READ, 200),
    "strips-beyond-the-end.tiff": (DAMAGED, 422),
    "strips-of-four-billion.tiff": (NO_PICTURE, 422),
    "says-four-billion.tiff": (TOO_LARGE, 413),
    "rows-of-none.tiff": (DAMAGED, 422),
    "tiles-of-two-billion.tiff": (READ, 200),
    "flate-of-junk.tiff": (DAMAGED, 422),
    "jpeg-of-junk.tiff": (DAMAGED, 422),
    "fax-of-junk.tiff": (READ, 200),
    "lzw-of-junk.tiff": (DAMAGED, 422),
    "compression-of-nobody.tiff": (NO_PICTURE, 422),
    "turned.tiff": (READ, 200),
    "floats.tiff": (READ, 200),
    "floats-to-1e38.tiff": (READ, 200),
    "many-pages.tiff": (READ, 200),
    "lab.tiff": (READ, 200),
    "cmyk.tiff": (READ, 200),
    "bare-header.tiff": (NO_PICTURE, 422),
    "empty.jpg": (EMPTY, 422),
    "words.jpg": (NO_PICTURE, 415),
    "page.jpg": (NO_PICTURE, 415),
    "drawing.jpg": (NO_PICTURE, 415),
    "postscript.jpg": (NO_PICTURE, 415),
    "document.jpg": (NO_PICTURE, 415),
    "photoshop.jpg": (NO_PICTURE, 415),
    "icon.jpg": (NO_PICTURE, 415),
    "targa.jpg": (NO_PICTURE, 415),
    "brand-alone.heic": (HEIC, 422),
    "brand-and-junk.heic": (HEIC, 422),
    "cut.heic": (HEIC, 422),
    "cut-in-its-boxes.heic": (HEIC, 422),
    "pixels-of-junk.heic": (HEIC, 422),
    "says-65535-square.heic": (HEIC, HEIC_TOO_LARGE),
    "says-12000-square.heic": (HEIC, HEIC_TOO_LARGE),
    "says-zero.heic": (HEIC, 422),
    "box-of-four-billion.heic": (HEIC, 422),
    "items-of-65535.heic": (HEIC, 422),
    "pixels-beyond-the-end.heic": (HEIC, 422),
    "no-picture-is-the-first.heic": (HEIC, 422),
    "no-decoder.heic": (HEIC, 422),
    "properties-of-nobody.heic": (HEIC, 422),
    "dot.png": (TOO_SMALL, 422),
    "thread.png": (TOO_SMALL, 422),
    "ribbon.png": (READ, 200),
}
"""What is said of each picture, None where it is read, and the status of the API."""

NO_VIDEO = "is not a video that can be read"
NO_FRAME = "holds no frame that can be decoded"
NO_PICTURES = "holds no moving pictures"
TOO_MANY = "pictures and sounds, more than fit into its"
NO_CODEC = "is coded in a way that cannot be decoded"

VIDEOS: dict[str, str | None] = {
    "whole.mp4": READ,
    "whole.mkv": READ,
    "empty.mp4": EMPTY,
    "words.mp4": NO_VIDEO,
    "head-alone.mp4": NO_PICTURES,
    "cut-before-its-index.mp4": NO_FRAME,
    "pictures-cut-off.mp4": NO_FRAME,
    "box-of-four-billion.mp4": READ,
    "box-of-no-length.mp4": READ,
    "says-65535-square.mp4": READ,
    "samples-of-four-billion.mp4": TOO_MANY,
    "samples-of-one-byte.mp4": TOO_MANY,
    "samples-in-a-fragment.mp4": TOO_MANY,
    "samples-in-a-free-box.mp4": TOO_MANY,
    "samples-over-and-over.mp4": "holds over 8 million pictures, sounds and repeats of them",
    "header-compressed.mp4": "has a compressed header",
    "samples-beyond-the-end.mp4": NO_FRAME,
    "lasts-for-ages.mp4": READ,
    "clock-of-nothing.mp4": NO_FRAME,
    "turned-by-junk.mp4": READ,
    "pictures-elsewhere.mp4": READ,
    "fifty-tracks.mp4": NO_PICTURES,
    "pictures-of-junk.mp4": NO_FRAME,
    "cut.mkv": NO_VIDEO,
    "cluster-of-junk.mkv": NO_FRAME,
    "says-huge.mkv": READ,
    "eleven-days-later.mkv": READ,
    "element-of-ages.mkv": READ,
    "cut.avi": READ,
    "index-of-junk.avi": READ,
    "rate-of-nothing.avi": READ,
    "chunk-of-four-billion.avi": READ,
    "odd-codec.avi": NO_CODEC,
    "sound-alone.mp4": NO_PICTURES,
    "no-pictures.avi": NO_FRAME,
    "packets-of-junk.ts": NO_VIDEO,
    "start-codes-of-junk.mpg": NO_VIDEO,
    "tags-of-junk.flv": NO_CODEC,
    "pages-of-junk.ogv": NO_VIDEO,
    "a-photo.mp4": NO_VIDEO,
    "a-dance.mp4": NO_VIDEO,
    "playlist.mp4": NO_VIDEO,
    "playlist-with-key.ts": NO_VIDEO,
    "playlist-of-text.avi": NO_VIDEO,
    "pieces.mp4": NO_VIDEO,
    "manifest.mp4": NO_VIDEO,
    "session.mp4": NO_VIDEO,
    "references.wmv": NO_VIDEO,
    "script.mp4": NO_VIDEO,
    "edit-list.mp4": NO_VIDEO,
}
"""What is said of each video, None where some of its frames are read."""

POSTED_AS_PICTURES = {"empty.mp4": 422, "a-photo.mp4": 200, "a-dance.mp4": 200}
"""Videos that the API, which takes photos, does not refuse as no pictures (415)."""

SECRET = (160, 96)
"""The size of a good video that some of the others name."""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Read everything in one run; return the readings of each file, and what was said on the error stream."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in (*PICTURES, *VIDEOS):
        shutil.copy(CORPUS / name, folder)
    make_clip(folder / "secret.mp4", steady(0.4, 10), still(corners(*SECRET)))
    out, said = folder / "out.jsonl", io.StringIO()
    words = ["read", "--quiet", "--model", "fast", "--out", str(out)]
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        main([*words, *(str(folder / name) for name in (*PICTURES, *VIDEOS))])
    readings = defaultdict(list)
    for line in out.read_text().splitlines():
        reading = json.loads(line)
        readings[Path(reading["source"]).name].append(reading)
    return readings, said.getvalue().splitlines()


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(Settings(model="fast")), base_url="http://127.0.0.1:8000")


def test_the_table_names_every_file() -> None:
    assert {path.name for path in CORPUS.iterdir() if path.suffix not in (".py", "")} == {*PICTURES, *VIDEOS}


def test_each_problem_is_one_sentence_on_the_error_stream(read: Any) -> None:
    readings, said = read
    reasons = [reading["reason"] for found in readings.values() for reading in found if "reason" in reading]
    assert reasons
    for reason in reasons:
        assert reason.endswith(".")
        assert reason.isprintable()
        assert len(reason) < 400
        assert reason in said
    broken = [line for line in said if line.endswith("broken frames were skipped.")]
    assert len(said) == len(reasons) + len(broken)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_on_the_command_line(name: str, read: Any) -> None:
    (reading,) = read[0][name]
    expect(reading, PICTURES[name][0])


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_on_the_command_line(name: str, read: Any) -> None:
    *frames, last = read[0][name]
    for frame in frames:
        expect(frame, READ)
    if VIDEOS[name] is READ and last["status"] == "unreadable":  # read, but not to its end
        assert frames
        assert "is cut short or damaged" in last["reason"]
    else:
        expect(last, VIDEOS[name])


def test_no_file_is_opened_because_another_names_it(read: Any) -> None:
    sizes = {(r["width"], r["height"]) for name in VIDEOS for r in read[0][name] if r["status"] != "unreadable"}
    assert sizes
    assert SECRET not in sizes


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_through_the_api(name: str, client: TestClient, read: Any) -> None:
    said, status = PICTURES[name]
    answer = client.post("/v1/read", params={"name": name}, content=(CORPUS / name).read_bytes())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    if status == 200:
        expect(answer.json(), said)
        (reading,) = read[0][name]
        assert answer.json() == reading | {"source": name}
        return
    assert answer.json()["detail"].startswith(name)
    assert (said or "") in answer.json()["detail"]
    expect(answer.json()["reading"], said or TOO_LARGE)  # the API takes fewer pixels


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_through_the_api(name: str, client: TestClient) -> None:
    answer = client.post("/v1/read", params={"name": name}, content=(CORPUS / name).read_bytes())
    assert answer.status_code == POSTED_AS_PICTURES.get(name, 415)


def expect(reading: dict[str, Any], said: str | None) -> None:
    jsonschema.validate(reading, json_schema())
    assert (reading["status"] == "unreadable") == (said is not None)
    assert (said or "") in reading.get("reason", "")
