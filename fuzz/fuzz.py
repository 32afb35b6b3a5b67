"""Fuzz a door of dogmood with Atheris: ``python fuzz/fuzz.py TARGET [CORPUS ...] [-runs=N ...]``.

See README.md beside this file.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dogmood", "PIL", "zipfile"]):
    import PIL.BmpImagePlugin
    import PIL.GifImagePlugin
    import PIL.JpegImagePlugin
    import PIL.MpoImagePlugin
    import PIL.PngImagePlugin
    import PIL.TiffImagePlugin
    import PIL.WebPImagePlugin

    from dogmood import bundle, card, onnx_file
    from dogmood.errors import ModelError, PhotoError, VideoError
    from dogmood.photo import open_photo
    from dogmood.web.uploads import harmless_name, sniffed

FILE = Path(tempfile.mkdtemp(prefix="dogmood-fuzz-"), "file")


def is_sentence(error: Exception) -> None:
    said = str(error)
    assert said.endswith("."), said
    assert said.isprintable(), said
    assert len(said) < 500, said


def photo(data: bytes) -> None:
    sniffed(data)
    try:
        pixels = open_photo(data, "rex.jpg").pixels
    except PhotoError as error:
        return is_sentence(error)
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    return None


def heic(data: bytes) -> None:
    """Whatever it is, it says that it is HEIC; needs the extra of that name."""
    photo(data[:4] + b"ftypheic" + data[12:])


def model(data: bytes) -> None:
    FILE.write_bytes(data)
    try:
        opened = bundle.open_bundle(FILE)
        card.read_settings(opened.card)
    except ModelError as error:
        return is_sentence(error)
    for graph in (opened.finder, opened.classifier):
        network(graph)
    return None


def network(data: bytes) -> None:
    try:
        onnx_file.check_graph(data)
    except onnx_file.GraphError as error:
        return is_sentence(ModelError(f"{error}."))
    # What is let in must be no more than bytes to onnxruntime, too: it loads, or is refused in a sentence.
    try:
        bundle.Network(data, threads=1)
    except ModelError as error:
        is_sentence(error)
    return None


def video(data: bytes) -> None:
    from dogmood.video import Video

    FILE.write_bytes(data)
    try:
        with Video(FILE) as opened:
            for count, frame in enumerate(opened.samples(2)):
                assert frame.pixels.shape[2] == 3
                if count == 20:
                    break
    except VideoError as error:
        is_sentence(error)


def body(data: bytes) -> None:
    """Send a form; the first line is its Content-Type."""
    import asyncio

    from starlette.requests import Request

    from dogmood.web.refusal import Refusal
    from dogmood.web.uploads import receive_upload

    kind, _, rest = data.partition(b"\n")
    parts = io.BytesIO(rest)

    async def receive() -> dict[str, object]:
        part = parts.read(997)
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    async def send() -> None:
        request = Request({"type": "http", "headers": [(b"content-type", kind)]}, receive)
        try:
            upload = await receive_upload(request, 5000)
        except Refusal as refusal:
            assert refusal.status in (400, 413, 415, 422), refusal.status
            return is_sentence(refusal)
        assert harmless_name(upload.name) == upload.name
        return None

    asyncio.run(send())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "photo": photo,
    "heic": heic,
    "model": model,
    "network": network,
    "video": video,
    "body": body,
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"Say what to fuzz: python fuzz/fuzz.py {'|'.join(TARGETS)} [CORPUS ...] [-max_total_time=60 ...]")
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
