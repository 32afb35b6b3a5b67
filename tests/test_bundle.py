from __future__ import annotations

import io
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.bundle import checked, open_bundle, shipped_models, write_bundle
from dogmood.card import read_settings
from dogmood.emotions import EMOTIONS
from dogmood.errors import ModelError
from mutations import damaged

CARD = {"name": "toy", "version": "1", "labels": list(EMOTIONS)}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    path = tmp_path / "toy.dogmood"
    write_bundle(path, CARD, b"finder" * 100, b"classifier" * 100)
    return path


def test_what_is_written_is_opened(toy: Path) -> None:
    bundle = open_bundle(toy)
    assert (bundle.name, bundle.version) == ("toy", "1")
    assert bundle.finder == b"finder" * 100
    assert bundle.classifier == b"classifier" * 100
    assert len(bundle.sha256) == 64


def test_equal_content_gives_equal_bytes(toy: Path) -> None:
    first = toy.read_bytes()
    write_bundle(toy, CARD, b"finder" * 100, b"classifier" * 100)
    assert toy.read_bytes() == first
    with zipfile.ZipFile(toy) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}  # not today


def flipped(data: bytes) -> bytes:
    at = data.index(b"finderfinder") + 50
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def foreign(_: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("holiday.txt", "sun")
    return file.getvalue()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (flipped, "is damaged"),
        (lambda data: data[: len(data) // 2], "is damaged"),
        (lambda data: b"", "is not a dogmood model"),
        (lambda data: b"just text", "is not a dogmood model"),
        (foreign, "is not a dogmood model"),
        (lambda data: data.replace(b'"format": 1', b'"format": 9'), "is damaged"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_by_name(toy: Path, harm, sentence: str) -> None:
    toy.write_bytes(harm(toy.read_bytes()))
    with pytest.raises(ModelError, match=sentence) as refusal:
        open_bundle(toy)
    assert "toy.dogmood" in str(refusal.value)


def test_swapped_networks_are_noticed(toy: Path) -> None:
    with zipfile.ZipFile(toy) as archive:
        card = archive.read("card.json")
    with zipfile.ZipFile(toy, "w") as archive:
        archive.writestr("finder.onnx", b"another")
        archive.writestr("classifier.onnx", b"classifier" * 100)
        archive.writestr("card.json", card)
    with pytest.raises(ModelError, match=r"checksum of finder\.onnx differs"):
        open_bundle(toy)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "x.dogmood", CARD | {"format": 9}, b"f", b"c")
    with pytest.raises(ModelError, match="layout that this version cannot read"):
        open_bundle(tmp_path / "x.dogmood")


def test_another_order_of_labels_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "x.dogmood", CARD | {"labels": list(EMOTIONS[::-1])}, b"f", b"c")
    with pytest.raises(ModelError, match="orders its labels"):
        open_bundle(tmp_path / "x.dogmood")


def test_a_card_without_settings_is_refused(toy: Path) -> None:
    with pytest.raises(ModelError, match="does not fit this version"):
        read_settings(open_bundle(toy).card)


def test_an_unknown_name_lists_the_known_ones() -> None:
    assert "base" in shipped_models()
    with pytest.raises(ModelError, match=r"no model 'grand'.*base"):
        open_bundle("grand")


def test_the_shipped_model_says_how_it_was_made_and_is_small() -> None:
    for name in shipped_models():
        bundle = open_bundle(name)
        assert bundle.card["made"]["command"].startswith("python -m dogmood.lab")
        assert all(len(digest) == 64 for digest in bundle.card["made"]["data"].values())
        assert len(bundle.finder) + len(bundle.classifier) < 50e6
        assert read_settings(bundle.card).finder.side % 32 == 0


@given(st.data())
def test_one_changed_byte_never_gives_anything_but_a_sentence(tmp_path_factory: pytest.TempPathFactory, data) -> None:
    path = tmp_path_factory.mktemp("harm") / "toy.dogmood"
    write_bundle(path, CARD, b"finder", b"classifier")
    whole = bytearray(path.read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    with suppress(ModelError):  # a byte that nobody reads may change unnoticed
        opened = open_bundle(path)
        assert (opened.finder, opened.classifier) == (b"finder", b"classifier")


@pytest.mark.parametrize("card", [{"name": None}, {"labels": None}, {"labels": 5}])
def test_a_card_of_another_kind_is_refused(tmp_path: Path, card: dict[str, object]) -> None:
    full = CARD | card
    if card == {"name": None}:
        full = {k: v for k, v in CARD.items() if k != "name"}
    write_bundle(tmp_path / "x.dogmood", full, b"f", b"c")
    with pytest.raises(ModelError):
        open_bundle(tmp_path / "x.dogmood")


def test_an_overlong_name_is_no_model() -> None:
    with pytest.raises(ModelError, match="There is no model"):
        open_bundle("x" * 5000)


def packed(members: list[tuple[str, bytes]], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", how) as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def test_compressed_members_are_refused_before_they_are_unpacked(toy: Path) -> None:
    with zipfile.ZipFile(toy) as archive:
        card = archive.read("card.json")
    members = [("finder.onnx", bytes(200_000_000)), ("classifier.onnx", b""), ("card.json", card)]
    toy.write_bytes(packed(members, zipfile.ZIP_DEFLATED))
    assert toy.stat().st_size < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="is damaged"):
            open_bundle(toy)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_member_that_is_there_twice_is_refused(toy: Path) -> None:
    with zipfile.ZipFile(toy) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    for name, data in members:
        toy.write_bytes(packed([*members, (name, data)]))
        with pytest.raises(ModelError, match="is damaged"):
            open_bundle(toy)


def test_names_of_members_are_never_paths(toy: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(toy) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    before = sorted(tmp_path.rglob("*"))
    toy.write_bytes(packed([*members, ("../climbed.txt", b"x"), ("/tmp/absolute.txt", b"x")]))
    assert open_bundle(toy).name == "toy"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_card_of_many_megabytes_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "x.dogmood", CARD | {"made": "x" * 5_000_000}, b"f", b"c")
    with pytest.raises(ModelError, match="is damaged"):
        open_bundle(tmp_path / "x.dogmood")


def test_a_card_of_ever_deeper_lists_is_refused(toy: Path) -> None:
    toy.write_bytes(packed([("finder.onnx", b""), ("classifier.onnx", b""), ("card.json", b"[" * 200_000)]))
    with pytest.raises(ModelError, match="is damaged"):
        open_bundle(toy)


@pytest.mark.parametrize("name", ["", "x" * 300, "toy\x1b[31m", "a\nb", 7, None, ["toy"]])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: object) -> None:
    write_bundle(tmp_path / "x.dogmood", CARD | {"name": name}, b"f", b"c")
    with pytest.raises(ModelError, match="is not a dogmood model"):
        open_bundle(tmp_path / "x.dogmood")


@given(st.data())
def test_damage_gives_a_model_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.dogmood"
    write_bundle(path, CARD, b"finder", b"classifier")
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    with suppress(ModelError):
        opened = open_bundle(path)
        assert (opened.finder, opened.classifier) == (b"finder", b"classifier")


def test_networks_of_another_kind_are_told_in_a_sentence(tmp_path: Path) -> None:
    from dogmood import DogMood

    shipped = open_bundle("fast")
    path = tmp_path / "swapped.dogmood"
    card = {key: value for key, value in shipped.card.items() if key not in ("format", "networks")}
    write_bundle(path, card, shipped.classifier, shipped.finder)
    reader = DogMood(path)
    with pytest.raises(ModelError, match="A network of the model cannot be computed"):
        reader.read(np.zeros((64, 64, 3), np.uint8))
    write_bundle(path, card, shipped.finder, b"no graph")
    with pytest.raises(ModelError, match="A network of the model is refused: it is damaged"):
        DogMood(path)


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ([np.zeros(1)], "in another form"),
        ([np.zeros(1), np.zeros((1, 5))], "in another form"),
        ([np.zeros((1, 5)), np.zeros(0)], "in another form"),
        ([np.zeros((1, 5)), np.full(1, np.nan)], "no number"),
        ([np.zeros((1, 5)), np.full(1, np.inf)], "no number"),
    ],
)
def test_answers_of_another_form_are_refused(outputs: list, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        checked(outputs, 2, 1)
