from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from dogmood.cli import main
from dogmood.reading import json_schema
from pictures import UNREADABLE, corners, encoded


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run the program in this process; return exit code, output and errors."""
    try:
        main([str(word) for word in words])
        code = 0
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_dog_is_shown_with_its_number_box_table_and_doubt(capsys, bull_mastiff: Path) -> None:
    code, out, err = run(capsys, "read", bull_mastiff)
    assert (code, err) == (0, "")
    title, dog, *table, possible = out.splitlines()
    assert str(bull_mastiff) in title
    assert "1 dog" in title
    assert "dog 1" in dog
    assert "box" in dog
    assert ("(sure)" in dog) != ("(not sure)" in dog)
    shares = [float(line.split()[1].rstrip("%")) for line in table]
    assert len(shares) == 5
    assert shares == sorted(shares, reverse=True)
    assert f"{table[0].split()[0]}: {table[0].split()[1]}" in dog  # "anger: 99.85%"
    assert "possible at 90 %" in possible


def test_no_dog_is_said(capsys, cottage: Path) -> None:
    code, out, _ = run(capsys, "read", cottage)
    assert code == 0
    assert "no dog" in out


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_json_names_any_photo_whatever_the_terminal_can_write(cottage: Path, tmp_path: Path, encoding: str) -> None:
    photo = tmp_path / "Лайка ü 🐕.jpg"
    shutil.copy(cottage, photo)
    words = [sys.executable, "-m", "dogmood", "read", "--json", str(photo)]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    said = subprocess.run(words, env=environment, capture_output=True, check=True).stdout
    assert json.loads(said.decode(encoding))["source"] == str(photo)


def test_json_lines_follow_the_schema(capsys, bull_mastiff: Path, cottage: Path, tmp_path: Path) -> None:
    code, out, _ = run(capsys, "read", "--json", bull_mastiff, cottage, tmp_path / "nowhere.jpg")
    assert code == 0
    readings = [json.loads(line) for line in out.splitlines()]
    assert [r["status"] for r in readings] == ["read", "no_dog", "unreadable"]
    for reading in readings:
        jsonschema.validate(reading, json_schema())


@pytest.mark.parametrize("explain", [["--explain"], ["--explain", "all"], ["--explain=all"]])
def test_explain_saves_pictures(capsys, bull_mastiff: Path, tmp_path: Path, explain: list[str]) -> None:
    code, out, _ = run(capsys, "read", *explain, "--pictures", tmp_path / "pictures", bull_mastiff)
    assert code == 0
    names = sorted(p.name for p in (tmp_path / "pictures").iterdir())
    strips = [f"{bull_mastiff.name}.dog1.png"] if "all" in explain[-1] else []
    assert names == [*strips, f"{bull_mastiff.name}.png"]
    assert all(f"saved {tmp_path / 'pictures' / name}" in out for name in names)


def test_pictures_of_equal_names_in_two_folders_are_kept_apart(capsys, bull_mastiff: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        shutil.copy(bull_mastiff, tmp_path / "in" / name / "rex.jpg")
    run(capsys, "read", "--explain", "--pictures", tmp_path / "out", tmp_path / "in")
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.png")) == [
        "a/rex.jpg.png",
        "b/rex.jpg.png",
    ]


def test_out_writes_a_table_and_quiet_prints_nothing(capsys, bull_mastiff: Path, cottage: Path, tmp_path: Path) -> None:
    out = tmp_path / "readings.csv"
    assert run(capsys, "read", "--quiet", "--out", out, bull_mastiff, cottage) == (0, "", "")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["read", "no_dog"]


def test_chosen_emotions_are_renormalised(capsys, bull_mastiff: Path) -> None:
    _, out, _ = run(capsys, "read", "--json", "--emotions", "anger,fear,happiness,sadness", bull_mastiff)
    (dog,) = json.loads(out)["dogs"]
    assert list(dog["probabilities"]) == ["anger", "fear", "happiness", "sadness"]
    assert sum(dog["probabilities"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", [*UNREADABLE, "missing.jpg", "empty folder", "folder of text"])
def test_bad_input_gets_one_sentence_and_the_others_are_read(
    capsys, name: str, bull_mastiff: Path, tmp_path: Path
) -> None:
    bad = tmp_path / name
    if name in UNREADABLE:
        bad.write_bytes(UNREADABLE[name][0])
    elif "folder" in name:
        bad.mkdir()
    if name == "folder of text":
        (bad / "notes.txt").write_text("woof")
    out = tmp_path / "out.jsonl"
    code, printed, err = run(capsys, "read", bad, bull_mastiff, "--out", out)
    assert code == 0
    assert len(err.splitlines()) == 1
    assert str(bad) in err
    assert "1 dog" in printed
    assert {path.name for path in tmp_path.iterdir()} - {name} == {"out.jsonl"}
    assert [json.loads(line)["status"] for line in out.read_text().splitlines()] == ["unreadable", "read"]
    code, printed, err = run(capsys, "read", bad)
    assert (code, printed) == (1, "")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "missing/out.csv"], "cannot be written"),
        (["--out", "out.xlsx"], "must end in"),
        (["--out", "."], "must end in"),
        (["--out", "folder.csv"], "is a folder"),
        (["--out", f"{'x' * 300}.csv"], "name too long"),
        (["--emotions", "anger,boredom"], "'boredom' is no emotion known here"),
        (["--emotions", "anger"], "at least two"),
        (["--model", "grand"], "There is no model 'grand'"),
        (["--explain", "--pictures", "file"], "cannot be made"),
    ],
)
def test_wrong_use_gets_one_sentence_and_leaves_nothing(
    capsys, words: list[str], sentence: str, bull_mastiff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder.csv").mkdir()
    code, out, err = run(capsys, "read", *words, bull_mastiff)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.csv"]
    assert not any(Path("folder.csv").iterdir())


def photos_in(folder: Path, bull_mastiff: Path, count: int) -> Path:
    """Make a folder of small photos of one dog, every fifth one unreadable."""
    folder.mkdir()
    with Image.open(bull_mastiff) as image:
        small = encoded(image.resize((144, 144)), "JPEG")
    for i in range(count):
        (folder / f"{i:03d}.jpg").write_bytes(b"woof" if i % 5 == 3 else small)
    return folder


def sources_in(out: Path) -> list[str]:
    if out.suffix == ".parquet":
        return [str(s) for s in pyarrow.parquet.read_table(out)["source"].to_pylist()]
    if out.suffix == ".csv":
        with out.open(newline="") as file:
            return [row["source"] for row in csv.DictReader(file)]
    if out.suffix == ".json":
        return [reading["source"] for reading in json.loads(out.read_text())]
    return [json.loads(line)["source"] for line in out.read_text().splitlines()]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet", "json"])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_twice(
    bull_mastiff: Path, tmp_path: Path, ending: str
) -> None:
    folder, out = photos_in(tmp_path / "in", bull_mastiff, 40), tmp_path / f"out.{ending}"
    command = [sys.executable, "-m", "dogmood", "read", "--json", "--resume", "--out", str(out), str(folder)]
    random, told = np.random.default_rng(len(ending)), 0
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            assert running.stdout is not None
            for _ in range(int(random.integers(1, 12))):
                told += b'"status": "read"' in running.stdout.readline()
            running.send_signal(signal.SIGKILL)
    last = subprocess.run(command, capture_output=True, text=True, check=False)
    assert last.returncode == 0
    assert sorted(sources_in(out)) == sorted(str(photo) for photo in folder.iterdir())
    # A line is printed once its reading is kept: none of those was read again, but for the one that is broken.
    assert told + len(last.stdout.splitlines()) <= 40
    assert {path.name for path in tmp_path.iterdir()} == {"in", out.name}


def test_a_folder_read_again_skips_what_is_done_and_says_so(capsys, bull_mastiff: Path, tmp_path: Path) -> None:
    folder, out = photos_in(tmp_path / "in", bull_mastiff, 5), tmp_path / "out.csv"
    code, printed, _ = run(capsys, "read", "--out", out, folder)
    assert code == 0
    assert "5 photos: " in printed
    assert "1 unreadable" in printed
    assert f"Written to {out}." in printed
    shutil.copy(folder / "000.jpg", folder / "new.jpg")
    code, printed, err = run(capsys, "read", "--out", out, "--resume", folder)
    assert code == 0
    assert err.startswith(f"{folder / '003.jpg'} is not a picture")  # a broken one is tried each time
    assert err.count("\n") == 1
    assert "2 photos: 1 with a dog, 0 without, 1 unreadable" in printed
    assert "4 of the photos and videos had been read before" in printed
    assert len(sources_in(out)) == len(set(sources_in(out))) == 6
    shutil.copy(folder / "000.jpg", folder / "003.jpg")
    for _ in range(2):
        assert run(capsys, "read", "--out", out, "--resume", "--quiet", folder) == (0, "", "")
    assert len(sources_in(out)) == len(set(sources_in(out))) == 6
    assert "unreadable" not in out.read_text()


def test_a_photo_that_stays_broken_is_no_success_the_second_time(capsys, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("woof")
    for _ in range(2):
        code, _, err = run(capsys, "read", "--out", tmp_path / "out.csv", "--resume", tmp_path / "bad.jpg")
        assert (code, err.count("is not a picture")) == (1, 1)


def test_resume_without_a_file_and_a_file_without_resume_are_wrong_use(capsys, bull_mastiff, tmp_path: Path) -> None:
    code, out, err = run(capsys, "read", "--resume", bull_mastiff)
    assert (code, out, err) == (2, "", "--resume goes on with an output file: name it with --out.\n")
    (tmp_path / "out.csv").write_text("mine")
    code, out, err = run(capsys, "read", "--out", tmp_path / "out.csv", bull_mastiff)
    assert (code, out) == (2, "")
    assert "exists already: add --resume" in err
    assert (tmp_path / "out.csv").read_text() == "mine"


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing_but_the_speed(capsys, bull_mastiff: Path, tmp_path: Path, workers: int) -> None:
    folder = photos_in(tmp_path / "in", bull_mastiff, 9)
    _, out, _ = run(capsys, "read", "--json", "--workers", workers, folder)
    readings = [json.loads(line) for line in out.splitlines()]
    assert [reading["source"] for reading in readings] == sorted(str(photo) for photo in folder.iterdir())
    assert [i for i, reading in enumerate(readings) if reading["status"] == "unreadable"] == [3, 8]
    assert run(capsys, "read", "--workers", 0, folder)[0] == 2


def interrupted(command: list[str]) -> str:
    """Run a command, press Ctrl-C after its first line, and return what it says at last."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in err
    return err.splitlines()[-1]


def test_ctrl_c_keeps_what_was_read_and_says_how_to_go_on(bull_mastiff: Path, tmp_path: Path) -> None:
    folder, out = photos_in(tmp_path / "in", bull_mastiff, 60), tmp_path / "out.parquet"
    command = [sys.executable, "-m", "dogmood", "read", "--json", "--out", str(out), str(folder)]
    assert "--resume goes on" in interrupted(command)
    assert not out.exists()
    again = subprocess.run([*command, "--resume"], capture_output=True, check=False)
    assert again.returncode == 0
    assert len(sources_in(out)) == 60


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
def test_on_a_terminal_a_bar_shows_how_fast_it_goes_and_the_summary_follows(bull_mastiff: Path, tmp_path: Path) -> None:
    import pty

    folder = photos_in(tmp_path / "in", bull_mastiff, 20)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "dogmood", "read", "--out", str(tmp_path / "out.csv"), str(folder)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        shown = b""
        # The far end of a terminal that has closed is an error, not an end.
        with suppress(OSError):
            while part := os.read(ours, 4096):
                shown += part
    os.close(ours)
    assert running.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert "20/20" in text
    assert re.search(r"\d+\.\d a second", text)
    assert "003.jpg is not a picture" in text
    assert "possible at 90 %" not in text  # the bar takes the tables' place
    assert "20 photos: " in text.splitlines()[-4] + text.splitlines()[-3]


def test_unknown_options_and_no_paths_are_wrong_use(capsys) -> None:
    assert run(capsys, "read", "--frobnicate")[0] == 2
    assert run(capsys, "read")[0] == 2


@pytest.mark.parametrize(
    "content",
    [b"just text", b"PK\x03\x04 cut", b"", encoded(corners(), "PNG")],
    ids=["text", "cut zip", "empty", "png"],
)
def test_a_file_that_is_no_model_is_refused_by_name(capsys, content: bytes, bull_mastiff: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine.dogmood"
    model.write_bytes(content)
    code, out, err = run(capsys, "read", "--model", model, "--out", tmp_path / "out.csv", bull_mastiff)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert str(model) in err
    assert list(tmp_path.iterdir()) == [model]


def odd_pictures() -> dict[str, bytes]:
    """Files that are odd but good: each is 60 wide and 40 high when upright."""
    turned = Image.Exif()
    turned[0x0112] = 6
    sixteen = Image.fromarray(np.full((40, 60), 32768, np.uint16))
    palette = encoded(corners().convert("P"), "PNG", transparency=0)
    return {
        "film.gif": encoded(corners(), "GIF", save_all=True, append_images=[Image.new("RGB", (60, 40))]),
        "print.jpg": encoded(corners().convert("CMYK"), "JPEG"),
        "xray.png": encoded(sixteen, "PNG"),
        "sticker.png": palette,
        "phone.jpg": encoded(corners().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=turned),
        "wrongly named.txt": encoded(corners(), "WEBP"),
    }


@pytest.mark.parametrize("name", odd_pictures())
def test_odd_but_good_pictures_are_read(capsys, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(odd_pictures()[name])
    code, out, err = run(capsys, "read", "--json", tmp_path / name)
    assert (code, err) == (0, "")
    reading = json.loads(out)
    assert reading["status"] in ("read", "no_dog")
    assert (reading["width"], reading["height"]) == (60, 40)


def test_a_name_too_long_for_any_file_is_one_photo_that_cannot_be_read(capsys, bull_mastiff: Path) -> None:
    code, out, err = run(capsys, "read", "x" * 300 + ".jpg", bull_mastiff)
    assert code == 0
    assert len(err.splitlines()) == 1
    assert "name too long" in err
    assert "1 dog" in out


def test_pictures_of_two_folders_asked_for_are_kept_apart(capsys, bull_mastiff: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy(bull_mastiff, tmp_path / name / "rex.jpg")
    run(capsys, "read", "--explain", "--pictures", tmp_path / "out", tmp_path / "a", tmp_path / "b")
    drawn = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert drawn == ["a/rex.jpg.png", "b/rex.jpg.png"]


def test_odd_names_are_read_and_written(capsys, bull_mastiff: Path, tmp_path: Path) -> None:
    photo = tmp_path / "mein Hündchen 犬.jpg"
    shutil.copy(bull_mastiff, photo)
    code, out, _ = run(capsys, "read", "--json", photo)
    assert code == 0
    assert json.loads(out)["source"] == str(photo)


def test_the_installed_program_runs_and_never_shows_a_traceback(bull_mastiff: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "dogmood"]
    good = subprocess.run([*program, "read", "--json", bull_mastiff], capture_output=True, text=True)
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["status"] == "read"
    bad = subprocess.run([*program, "read", tmp_path / "nowhere.jpg"], capture_output=True, text=True)
    assert bad.returncode == 1
    assert bad.stderr == f"{tmp_path / 'nowhere.jpg'} does not exist.\n"
    version = subprocess.run([*program, "--version"], capture_output=True, text=True)
    assert version.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="outputs are closed by a shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_an_output_that_was_closed_is_done_without(bull_mastiff: Path, tmp_path: Path, closed: str) -> None:
    command = f'"{sys.executable}" -m dogmood read rex.jpg nope.jpg --out out.csv {closed}'
    shutil.copy(bull_mastiff, tmp_path / "rex.jpg")
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3


def test_an_empty_path_is_wrong_use(capsys) -> None:
    code, out, err = run(capsys, "read", "")
    assert (code, out) == (2, "")
    assert err.startswith("A path is empty")


def test_explained_tables_say_where_it_looked(capsys, bull_mastiff: Path, tmp_path: Path) -> None:
    words = ["--explain", "--explain-quality", "fine", "--pictures", tmp_path]
    _, out, _ = run(capsys, "read", *words, bull_mastiff)
    assert re.search(r"anger +\d+\.\d\d% .* \d+ % [a-z ]+, \d+ % [a-z ]+\n", out)
    _, out, _ = run(capsys, "read", "--json", *words, bull_mastiff)
    reading = json.loads(out.splitlines()[0])
    jsonschema.validate(reading, json_schema())
    assert "muzzle" in reading["dogs"][0]["looked_at"][reading["dogs"][0]["emotion"]]
