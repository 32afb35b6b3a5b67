from __future__ import annotations

import base64
import io
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.test_read import run
from clips import make_clip, moving_dogs, steady
from dogmood.database.database import Database
from dogmood.database.records import add_reading
from dogmood.reading import DogReading, Reading
from dogmood.report.page import write_report
from dogmood.results import open_results
from parsed_html import Parsed
from test_reading import MODEL, REX

HOSTILE = "<script>alert(1)</script>&\"'.jpg"


def dog(emotion: str, sure: bool = True, **options: object) -> DogReading:
    chances = {name: 0.8 if name == emotion else 0.05 for name in REX.dogs[0].probabilities}
    return replace(
        REX.dogs[0], emotion=emotion, probability=0.8, probabilities=chances, sure=sure, possible=(emotion,), **options
    )


def page_of(folder: Path, *readings: Reading) -> Parsed:
    with open_results(folder / "out.jsonl") as results:
        for reading in readings:
            results.write(reading)
    return Parsed(write_report(folder / "out.jsonl").read_text("utf-8"))


def test_photos_and_a_video_make_one_page(
    capsys: pytest.CaptureFixture[str], bull_mastiff: Path, cottage: Path, tmp_path: Path
) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:05:01 10:22:03"
    with Image.open(bull_mastiff) as image:
        image.save(footage / "dated.jpg", exif=exif)
    (footage / "house.jpg").write_bytes(cottage.read_bytes())
    (footage / "bad.jpg").write_text("woof")
    make_clip(footage / "rex.mp4", steady(2, 10), moving_dogs([bull_mastiff]))
    out = tmp_path / "readings.parquet"
    assert run(capsys, "read", "--quiet", footage, "--out", out)[0] == 0
    assert run(capsys, "report", out) == (0, f"{tmp_path / 'readings.html'}: open it in a browser\n", "")
    page = Parsed((tmp_path / "readings.html").read_text("utf-8"))
    for words in ("Counts", "frames of 1 video", "Videos over time", "Photos by day", "2026-05-01", "bad.jpg"):
        assert words in page.text
    assert len(page.named("svg")) == 2
    assert all(svg["aria-label"] for svg in page.named("svg"))


def test_the_page_asks_for_nothing_and_can_be_heard(tmp_path: Path, bull_mastiff: Path) -> None:
    page = page_of(
        tmp_path,
        replace(REX, source=str(bull_mastiff), dogs=(dog("fear"),)),
        replace(REX, source="gone.jpg", dogs=(dog("anger", sure=False),)),
    )
    assert not page.named("script")
    assert not page.named("link")
    raw = (tmp_path / "out.html").read_text("utf-8")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", raw)
    assert "url(" not in raw
    (picture,) = page.named("img")
    assert picture["alt"]
    assert (picture["src"] or "").startswith("data:image/jpeg;base64,")
    assert page.named("html")[0]["lang"] == "en"
    anchors = {(link["href"] or "")[1:] for link in page.named("a")}
    assert anchors <= {attributes.get("id") for _, attributes in page.tags}
    assert "no longer where it was read" in page.text
    assert "not sure: anger" in page.text


def test_names_are_shown_as_text(tmp_path: Path) -> None:
    page = page_of(
        tmp_path,
        replace(REX, source=HOSTILE, dogs=(dog("fear", sure=False),), taken="2026-05-01T10:00:00"),
        replace(REX, source=HOSTILE + ".mp4", time=0.0, dogs=(dog("anger", track=1),)),
        Reading("x", "unreadable", 0, 0, MODEL, reason=HOSTILE),
    )
    assert not page.named("script")
    assert page.text.count(HOSTILE) >= 3


def picture_of(page: Parsed) -> np.ndarray:
    (image,) = page.named("img")
    data = base64.b64decode((image["src"] or "").split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_a_thumbnail_shows_the_moment_of_the_video(tmp_path: Path) -> None:
    make_clip(
        tmp_path / "clip.mp4",
        steady(3),
        lambda time: np.full((96, 96, 3), (200, 30, 30) if 1.0 <= time < 1.5 else (30, 30, 200), np.uint8),
    )
    box = (30.0, 30.0, 60.0, 60.0)
    reading = Reading("clip.mp4", "read", 96, 96, MODEL, (dog("fear", box=box, track=1),), time=1.2)
    middle = picture_of(page_of(tmp_path, reading))  # found beside the readings
    assert middle[middle.shape[0] // 2, middle.shape[1] // 2] == pytest.approx([200, 30, 30], abs=25)


def test_a_thumbnail_shows_the_dog(tmp_path: Path) -> None:
    pixels = np.full((200, 300, 3), 20, np.uint8)
    pixels[50:150, 200:260] = (30, 220, 30)
    Image.fromarray(pixels).save(tmp_path / "rex.png")
    box = (200.0, 50.0, 260.0, 150.0)
    reading = Reading(str(tmp_path / "rex.png"), "read", 300, 200, MODEL, (dog("anger", box=box),))
    seen = picture_of(page_of(tmp_path, reading))
    assert seen[seen.shape[0] // 2, seen.shape[1] // 2] == pytest.approx([30, 220, 30], abs=25)
    assert seen[3, 3] == pytest.approx([20, 20, 20], abs=25)


def test_photos_sent_to_the_page_name_no_files_here(tmp_path: Path) -> None:
    Image.fromarray(np.full((200, 300, 3), 20, np.uint8)).save(tmp_path / "rex.png")
    address = f"sqlite:///{tmp_path / 'history.db'}"
    sent = [replace(REX, source=name, dogs=(dog("fear"),)) for name in ("rex.png", "clip.mp4")]
    with closing(Database(address)) as database, database.writing() as connection:
        for reading in sent:
            add_reading(connection, reading.to_dict(), once=False)
    page = Parsed(write_report(address).read_text("utf-8"))
    assert not page.named("img")
    assert page.text.count("sent to the page: its photo was not kept") == 2
    assert "Videos that could not be read" not in page.text
    # What the command line read still shows.
    with open_results(address, resume=True) as results:
        results.write(sent[0])
    page = Parsed(write_report(address).read_text("utf-8"))
    assert len(page.named("img")) == 1
    assert page.text.count("sent to the page: its photo was not kept") == 2


def test_videos_that_could_not_be_read_are_counted(tmp_path: Path) -> None:
    page = page_of(tmp_path, REX, Reading("clip.mp4", "unreadable", 0, 0, MODEL, reason="No."))
    assert "Videos that could not be read: 1." in page.text


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    photos = [replace(REX, source=f"{i}.jpg", dogs=(dog("fear"),)) for i in range(30)]
    bad = [Reading(f"b{i}.jpg", "unreadable", 0, 0, MODEL, reason="No.") for i in range(60)]
    tracks = tuple(dog("relaxed", dog=i + 1, track=i + 1) for i in range(10))
    page = page_of(tmp_path, *photos, *bad, replace(REX, source="clip.mp4", time=0.0, dogs=tracks))
    assert "24 of 30 are shown." in page.text
    assert "The first 50 of 60 are listed." in page.text
    assert "The 8 dogs seen longest of 10 are drawn." in page.text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.csv"], "does not exist"),
        (["notes.txt"], "must end in"),
        (["empty.jsonl"], "holds no readings"),
        (["notes.csv"], "something else than readings"),
        (["good.jsonl", "--page", "missing/page.html"], "cannot be written"),
        ([".", "--page", "page.html"], "--page is for readings"),
    ],
)
def test_wrong_use_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("woof")
    Path("notes.csv").write_text("a,b\n1,2\n")
    Path("empty.jsonl").touch()
    with open_results(Path("good.jsonl")) as results:
        results.write(REX)
    code, out, err = run(capsys, "report", *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_page_of_readings_needs_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    with open_results(tmp_path / "out.csv") as results:
        results.write(REX)
    code = (
        "import sys; from dogmood.cli import main\n"
        f"try: main(['report', {str(tmp_path / 'out.csv')!r}])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'jinja2', 'matplotlib', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
