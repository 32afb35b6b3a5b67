from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.errors import ModelError, PhotoError, printable
from dogmood.files import inside, read_file
from dogmood.photo import open_photo
from pictures import corners, encoded

unix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices in folders are Unix's")

OUTSIDE = [
    "", ".", "..", "../rex.jpg", "a/../../rex.jpg", "/etc/passwd", "//host/share/rex.jpg", "C:\\rex.jpg", "C:rex.jpg",
    "\\\\host\\share\\rex.jpg", "\\rex.jpg", "..\\rex.jpg", "a\\..\\..\\rex.jpg", "rex\0.jpg",
]  # fmt: skip
"""Names that lead out of a folder, on one system or another."""


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no file in its folder"):
        inside(Path("data"), name)


@pytest.mark.parametrize("name", ["rex.jpg", "b/rex.jpg", "..rex.jpg", "mein Hund 犬.jpg", "a..b/c"])
def test_names_within_stay(name: str) -> None:
    assert inside(Path("data"), name) == Path("data", name)


@given(st.text(alphabet=st.sampled_from("./\\:ab\0"), max_size=12))
def test_whatever_passes_stays_in_the_folder(name: str) -> None:
    try:
        path = inside(Path("/data/photos"), name)
    except ValueError:
        return
    assert os.path.normpath(path).startswith("/data/photos/")


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_file(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than"):
        read_file(path, 4)


def test_a_file_of_holes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "holes.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PhotoError, match="cannot be opened: it is larger than 1000 MB"):
        open_photo(path)


@unix
def test_devices_are_no_photos_and_no_models() -> None:
    from dogmood.bundle import open_bundle

    with pytest.raises(PhotoError, match="is a device, not a photo"):
        open_photo("/dev/zero")
    with pytest.raises(ModelError, match="There is no model"):
        open_bundle("/dev/zero")


@unix
def test_a_named_pipe_is_read_up_to_a_limit(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = encoded(corners(), "PNG")

    def fill(content: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_bytes(content)

    for content in (data, bytes(3_000_000)):
        filling = threading.Thread(target=fill, args=(content,))
        filling.start()
        if content is data:
            assert read_file(pipe, 1_000_000) == data
        else:
            with pytest.raises(OSError, match="larger than"):
                read_file(pipe, 1_000_000)
        filling.join()


@given(st.text())
def test_what_is_printed_cannot_steer_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) == len(text)
    assert printable("rex 犬.jpg") == "rex 犬.jpg"


@pytest.mark.parametrize("good", [True, False])
def test_a_file_s_name_cannot_steer_a_terminal(good: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dogmood.cli import main

    name = tmp_path / "\x1b[2J\x1b]0;rex\x07\n\x9b31m.png"
    name.write_bytes(encoded(corners(), "PNG") if good else b"none")
    with pytest.raises(SystemExit) as left:
        main(["read", "--model", "fast", str(name)])
    out, err = capsys.readouterr()
    assert left.value.code == (0 if good else 1)
    said = out if good else err
    assert "?[2J?]0;rex???31m.png" in said
    assert all(line.isprintable() for line in said.splitlines())
