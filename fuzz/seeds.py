"""Write what fuzzing begins with: ``python fuzz/seeds.py build/fuzz`` makes a folder a target."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "web")]

import heics
from test_bodies import FORM, PHOTO
from test_onnx_file import REFUSED, plain
from test_photo_fuzz import SOUND

from dogmood.bundle import open_bundle, write_bundle
from dogmood.folder import VIDEO_SUFFIXES


def seeds() -> dict[str, list[bytes]]:
    """Return the files that each target begins with; a model file is made by `main`."""
    corpus = [path for path in sorted((TESTS / "corpus").iterdir()) if path.suffix not in (".py", "")]
    graphs = [plain().SerializeToString(), *(graph.SerializeToString() for graph, _ in REFUSED.values())]
    return {
        "photo": [*SOUND.values(), *(path.read_bytes() for path in corpus if path.suffix not in VIDEO_SUFFIXES)],
        "heic": [
            *(heics.sound().values() if importlib.util.find_spec("pillow_heif") else []),
            *(path.read_bytes() for path in corpus if path.suffix == ".heic"),
        ],
        "video": [path.read_bytes() for path in corpus if path.suffix in VIDEO_SUFFIXES],
        "network": [graph for graph in graphs if len(graph) < 5000],
        "model": [],
        "body": [b"multipart/form-data; boundary=dog\n" + FORM, b"image/png\n" + PHOTO, b"\n" + PHOTO],
    }


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Say where to: python fuzz/seeds.py build/fuzz")
    for target, files in seeds().items():
        folder = Path(sys.argv[1], target)
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(files):
            (folder / f"{number:03d}").write_bytes(data)
    graph = plain().SerializeToString()
    card = {key: value for key, value in open_bundle("fast").card.items() if key not in ("format", "networks", "made")}
    write_bundle(Path(sys.argv[1], "model", "000"), card, graph, graph)


if __name__ == "__main__":
    main()
