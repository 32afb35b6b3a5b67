"""Weights and settings of a run may be damaged or forged: a sentence, never code, never a bottomless read."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.lab import LabError
from dogmood.lab.run import Run, load_tensors, save_tensors
from mutations import damaged


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


SETTINGS = {"data": "x", "network": "shallow_cnn"}


def header(text: bytes, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text


TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
FORGED = {
    "empty": b"",
    "a header of ages": header(b"{}", 2**63),
    "a header beyond the end": header(b"{}", 10**6),
    "no header": header(b"not json"),
    "deep": header(b"[" * 10_000),
    "numbers beyond the end": header(json.dumps({"a": TENSOR | {"data_offsets": [0, 10**12]}}).encode()),
    "a shape of ages": header(json.dumps({"a": TENSOR | {"shape": [2**40, 2**40]}}).encode()) + bytes(8),
    "numbers that overlap": header(json.dumps({"a": TENSOR, "b": TENSOR}).encode()) + bytes(8),
    "a kind of nobody": header(json.dumps({"a": TENSOR | {"dtype": "F1000"}}).encode()) + bytes(8),
    "no facts": header(json.dumps({"a": TENSOR}).encode()) + bytes(8),
    "facts that are no json": header(json.dumps({"__metadata__": {"facts": "{"}, "a": TENSOR}).encode()) + bytes(8),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_weights_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    path.write_bytes(FORGED[name])
    with pytest.raises(LabError, match="is damaged"):
        load_tensors(path)


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_pickle_is_never_run(how: str, tmp_path: Path) -> None:
    path, sprung = tmp_path / "best.safetensors", tmp_path / "sprung"
    if how == "torch":
        torch.save(Trap(sprung), path)
    else:
        path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(LabError, match="is damaged"):
        load_tensors(path)
    assert not sprung.exists()


@settings(max_examples=150)
@given(data=st.data())
def test_damage_gives_tensors_or_a_sentence(data: st.DataObject, room: Path) -> None:
    path = room / "damaged.safetensors"
    save_tensors(path, {"a": torch.zeros(3), "b": torch.ones(2, 2)}, {"epoch": 3})
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    said = ""
    try:
        load_tensors(path)
    except LabError as error:
        said = str(error)
    assert said in ("", f"{path} is damaged.")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", "[" * 100_000, '{"format": 1}',
     '{"format": 1, "settings": {"data": "x", "emotions": 7}, "data": {"manifest.csv": "x"}}',
     '{"format": 1, "settings": [], "data": {"manifest.csv": "x"}}',
     '{"format": 1, "settings": {"network": "../../x"}, "data": {"manifest.csv": "x"}}', "\udcff"],
)  # fmt: skip
def test_a_forged_run_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text, errors="surrogateescape")
    with pytest.raises(LabError):
        Run.open(tmp_path)


def run_in(folder: Path) -> Run:
    facts = {"format": 1, "settings": SETTINGS, "data": {"manifest.csv": "x"}}
    (folder / "run.json").write_text(json.dumps(facts))
    return Run.open(folder)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    save_tensors(tmp_path / "best.safetensors", {"a": torch.zeros(3)}, {"epoch": 3})
    with pytest.raises(LabError, match=r"another network than run\.json names: .* --from-run"):
        run.network()


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", "[" * 100_000, '{"accuracy": {"value": 0.5}}', '{"accuracy": 1, "n": 3}', "\udcff"]
)
def test_forged_figures_are_asked_for_again(text: str, tmp_path: Path) -> None:
    run = run_in(tmp_path)
    (tmp_path / "test.json").write_text(text, errors="surrogateescape")
    with pytest.raises(LabError, match=r"test\.json is damaged: run `dogmood test"):
        run.figures()


@pytest.mark.parametrize("text", ["", "epoch,rate,train_loss,train_accuracy,valid_loss,valid_accuracy,seconds\n"])
def test_metrics_without_an_epoch_are_said_to_be_so(text: str, tmp_path: Path) -> None:
    run = run_in(tmp_path)
    (tmp_path / "metrics.csv").write_text(text)
    assert run.metrics() == []
    with pytest.raises(LabError, match="holds no epoch: dogmood train --resume"):
        run.rows()
