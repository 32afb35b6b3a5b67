from __future__ import annotations

import io
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.web.uploads import NAMELESS, harmless_name, sniffed
from pictures import corners, encoded


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("GIF", ".gif"), ("WEBP", ".webp"), ("BMP", ".bmp"), ("TIFF", ".tiff")],
)
def test_pictures_are_known_by_their_first_bytes(form: str, suffix: str) -> None:
    assert sniffed(encoded(corners(), form)) == suffix


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xd8", b"BM", b"BMW is a car, not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0", b"RIFF\0\0\0\0AVI LIST", b"\0\0\0\x18ftypmp42", b"GIF88a",
    ],
)  # fmt: skip
def test_others_are_not(data: bytes) -> None:
    assert sniffed(data) is None


def test_heic_is_known_by_its_brand() -> None:
    assert sniffed(b"\0\0\0\x18ftypheic" + bytes(8)) == ".heic"


@given(st.binary(max_size=40))
def test_sniffing_takes_any_bytes(data: bytes) -> None:
    assert sniffed(data) in (None, ".jpg", ".png", ".gif", ".webp", ".tiff", ".bmp", ".heic")


@given(st.text(max_size=300))
def test_names_are_never_paths(name: str) -> None:
    harmless = harmless_name(name)
    assert 0 < len(harmless) <= 200
    assert harmless.isprintable()
    assert not {"/", "\\"} & set(harmless)
    assert len(PurePosixPath(harmless).parts) <= 1
    io.StringIO().write(harmless)


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("rex.jpg", "rex.jpg"),
        ("../../etc/passwd", "passwd"),
        (r"C:\dogs\rex.jpg", "rex.jpg"),
        ("mein Hündchen 犬.jpg", "mein Hündchen 犬.jpg"),
        ("re\nx\0.jpg", "rex.jpg"),
        ("dogs/", NAMELESS),
        ("", NAMELESS),
        (None, NAMELESS),
    ],
)
def test_the_last_part_of_a_name_remains(name: str | None, harmless: str) -> None:
    assert harmless_name(name) == harmless
    assert PureWindowsPath(harmless).name == harmless
