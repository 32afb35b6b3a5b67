"""The model file: two networks and the card that says how to use them.

A ``.dogmood`` file is an uncompressed zip archive of ``finder.onnx``,
``classifier.onnx`` and ``card.json``.  The card carries everything a reading
depends on (label order, preprocessing, thresholds, calibration), how the model was
made and what it measures, and the SHA-256 of both networks, which are checked
before they are used.

A file may come from anybody: nothing of it is unpacked to disk, its size is bounded, and
its graphs may do nothing but compute (`onnx_file`).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dogmood.atomic import atomic_write
from dogmood.emotions import EMOTIONS
from dogmood.errors import ModelError, plainly
from dogmood.files import is_file, read_file
from dogmood.onnx_file import GraphError, check_graph

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FORMAT = 1
"""Version of the file's layout; another one is refused."""

MAX_BYTES = 1_000_000_000
"""Largest model file; its members are not compressed, so that they are no larger."""

_MOST_CARD = 4_000_000
"""Bytes of a card."""

_LONGEST_NAME = 255
"""Letters of a model's name and of its version."""

SHIPPED = Path(__file__).parent / "models"
SUFFIX = ".dogmood"
_NETWORKS = ("finder.onnx", "classifier.onnx")
_MEMBERS = ("card.json", *_NETWORKS)

_FATAL = 4
"""onnxruntime's level of what it writes to the terminal: errors are raised anyway."""

_AGAIN = "get its file again, or another"

Array = NDArray[np.float32]


class Network:
    """An ONNX network on the processor: one input, several outputs, all float32."""

    def __init__(self, onnx: bytes, threads: int = 0, check: bool = True) -> None:
        """Load a network.

        Args:
            onnx: the serialised graph.
            threads: how many to compute with; 0 takes all cores.
            check: refuse a graph that could do more than compute (see `onnx_file`).

        Raises:
            ModelError: it is no graph that can be computed, or it is refused.
        """
        if check:
            try:
                check_graph(onnx)
            except GraphError as error:
                raise ModelError(f"A network of the model is refused: {error}; {_AGAIN}.") from None
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _FATAL
        # Threads that have nothing to do would keep their cores busy, waiting for more, and a
        # model's other network, or another photo, would have to share those cores with them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: InferenceSession = onnxruntime.InferenceSession(
                onnx, options, providers=["CPUExecutionProvider"]
            )
            self._input: str = self._session.get_inputs()[0].name
        except Exception as error:  # onnxruntime's errors share no class of their own
            raise ModelError(f"A network of the model cannot be loaded ({plainly(error)}); {_AGAIN}.") from None

    def __call__(self, batch: Array) -> list[Array]:
        """Run the network on a batch and return its outputs in order.

        Raises:
            ModelError: it cannot be computed.
        """
        try:
            outputs: list[Array] = self._session.run(None, {self._input: batch})
        except Exception as error:
            raise ModelError(f"A network of the model cannot be computed ({plainly(error)}); {_AGAIN}.") from None
        return outputs


def other_form() -> ModelError:
    """Return the error of a network whose outputs are of another form than is read here."""
    return ModelError(f"A network of the model answers in another form than is read here; {_AGAIN}.")


def checked(outputs: list[Array], *sides: int) -> list[Array]:
    """Return a network's outputs, each with as many axes as it should have and none empty, all numbers finite.

    Raises:
        ModelError: they are others.
    """
    if [getattr(output, "ndim", -1) for output in outputs] != list(sides) or not all(o.size for o in outputs):
        raise other_form()
    if not all(np.isfinite(output).all() for output in outputs):
        raise ModelError(f"A network of the model answers with what is no number; {_AGAIN}.")
    return outputs


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened and verified model file.

    Attributes:
        name: the model's name, such as ``base``.
        version: its version.
        sha256: of the whole file.
        card: everything ``card.json`` says.
        finder: the finder's ONNX graph.
        classifier: the classifier's ONNX graph.
        shipped: whether it came with the package, and is trusted as its code is.
    """

    name: str
    version: str
    sha256: str
    card: Mapping[str, Any]
    finder: bytes
    classifier: bytes
    shipped: bool = False


def open_bundle(model: str | Path) -> Bundle:
    """Open a model by name or path and verify it.

    Args:
        model: the name of a shipped model, or the path of a ``.dogmood`` file.

    Raises:
        ModelError: there is no such model, or the file is damaged, foreign, of
            another layout or with other labels.
    """
    path = _find(model)
    try:
        data = read_file(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(f"The model {path} cannot be opened: {error.strerror}.") from None
    card, networks = _unpack(data, path)
    return Bundle(
        name=str(card["name"]),
        version=str(card["version"]),
        sha256=hashlib.sha256(data).hexdigest(),
        card=card,
        finder=networks["finder.onnx"],
        classifier=networks["classifier.onnx"],
        shipped=path.parent == SHIPPED,
    )


def shipped_models() -> tuple[str, ...]:
    """Return the names of the models that come with the package."""
    return tuple(sorted(path.stem for path in SHIPPED.glob(f"*{SUFFIX}")))


def write_bundle(path: Path, card: Mapping[str, Any], finder: bytes, classifier: bytes) -> None:
    """Write a model file; the same content gives the same bytes.

    Args:
        path: where to; an older file there is replaced only when all is written.
        card: what `open_bundle` shall find, without ``format`` and ``networks``.
        finder: the finder's ONNX graph.
        classifier: the classifier's ONNX graph.
    """
    members = dict(zip(_NETWORKS, (finder, classifier), strict=True))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    full = {"format": FORMAT, **card, "networks": digests}
    members["card.json"] = json.dumps(full, indent=1, ensure_ascii=False).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            # A fixed date, so that the file depends on its content alone.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    with atomic_write(path) as file:
        file.write(packed.getvalue())


def _find(model: str | Path) -> Path:
    names = shipped_models()
    if str(model) in names:
        return SHIPPED / f"{model}{SUFFIX}"
    path = Path(model)
    if not is_file(path):
        raise ModelError(
            f"There is no model {str(model)!r}: give the path of a {SUFFIX} file or one of {', '.join(names)}."
        )
    return path


def _unpack(data: bytes, path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    try:
        members = _members(data)
        card = json.loads(members["card.json"])
    except KeyError:
        raise ModelError(f"{path} is not a dogmood model; get the file again.") from None
    except Exception:  # a changed byte can make zipfile, zlib and json raise nearly anything
        what = "damaged" if data.startswith(b"PK") else "not a dogmood model"
        raise ModelError(f"{path} is {what}; get the file again.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError(f"{path} has a layout that this version cannot read; update dogmood.")
    if not all(_is_name(card.get(key)) for key in ("name", "version")) or not isinstance(card.get("networks"), dict):
        raise ModelError(f"{path} is not a dogmood model; get the file again.")
    if card.get("labels") != list(EMOTIONS):
        raise ModelError(f"{path} orders its labels as {str(card.get('labels'))[:200]}, not {list(EMOTIONS)}.")
    for name in _NETWORKS:
        if hashlib.sha256(members[name]).hexdigest() != card["networks"].get(name):
            raise ModelError(f"{path} is damaged: the checksum of {name} differs; get the file again.")
    return card, {name: members[name] for name in _NETWORKS}


def _members(data: bytes) -> dict[str, bytes]:
    """Return the three members of an archive.

    Raises:
        KeyError: one is missing.
        ValueError: one is there twice, compressed or too large.
        Exception: the archive is damaged.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        infos = [archive.getinfo(name) for name in _MEMBERS]
        for info in infos:
            most = _MOST_CARD if info.filename == "card.json" else MAX_BYTES
            stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
            if not stored or info.file_size > most or names.count(info.filename) != 1:
                raise ValueError(info.filename)
        return {info.filename: archive.read(info) for info in infos}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()
