"""Who takes part, what each one's job is, and what has to be installed for it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
THEIRS = ROOT / "build/peers"
"""An environment of its own for deepface and TensorFlow; `make bench-peers` makes it."""

MODELS = ("fast", "base")

OURS, LIMIT, PEER = "dogmood", "limit", "peer"


@dataclass(frozen=True)
class Candidate:
    """One row of the tables.

    Attributes:
        name: in figures and files.
        title: in tables and on the plot.
        kind: `OURS`, `LIMIT` (dogmood's networks alone) or `PEER`.
        job: what it does with a photo, and what is not as its users have it.
        reader: the class of `readers.py` that loads it, and with which `arguments`.
        theirs: whether it runs in the environment of its own.
        environment: variables it needs.
        packages: what has to be installed to use it.
    """

    name: str
    title: str
    kind: str
    job: str
    reader: str
    arguments: dict[str, str] = field(default_factory=dict)
    theirs: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        return str(THEIRS / "bin/python") if self.theirs else sys.executable


def _deepface(name: str, engine: str, detector: str, job: str) -> Candidate:
    packages = ("deepface", "werkzeug", *(("tensorflow", "tf-keras") if engine == "tensorflow" else ()))
    return Candidate(
        name,
        f"deepface, {engine}, {detector}",
        PEER,
        f"emotion of people's faces through `DeepFace.analyze`; {job}; random weights",
        "Deepface",
        {"detector": detector},
        theirs=True,
        environment={"DEEPFACE_BACKEND_ENGINE": engine},
        packages=packages,
    )


def _keras(network: str) -> Candidate:
    return Candidate(
        f"keras-{network.lower()}",
        f"Keras, {network}",
        PEER,
        f"one label for a whole photo: {network} at 224 px with a new top, `model.predict`; random weights",
        "Keras",
        {"network": network},
        theirs=True,
        packages=("tensorflow", "pillow"),
    )


CANDIDATES = (
    *(
        Candidate(
            model,
            f"dogmood {model}",
            OURS,
            "finds each dog, reads its emotion, says how sure it is",
            "Dogmood",
            {"model": model},
            packages=("numpy", "pillow", "onnxruntime", "typer", "click", "rich"),
        )
        for model in MODELS
    ),
    *(
        Candidate(
            f"limit-{model}",
            f"networks of {model} alone",
            LIMIT,
            "a plain onnxruntime loop over ready tensors of the same photos: finder once, classifier once a dog",
            "Limit",
            {"model": model},
            packages=("numpy", "onnxruntime"),
        )
        for model in MODELS
    ),
    _deepface("deepface-tensorflow", "tensorflow", "opencv", "OpenCV's cascade finds the face, as by default"),
    _deepface("deepface-onnx", "onnx", "opencv", "OpenCV's cascade finds the face, as by default"),
    _deepface("deepface-onnx-skip", "onnx", "skip", "no face is looked for, the photo is taken for one"),
    _keras("MobileNetV2"),
    _keras("VGG16"),
    Candidate(
        "scikit-learn",
        "scikit-learn, SVM on pixels",
        PEER,
        "one label for a whole photo: `SVC` on the pixels of 64 by 64, fitted on 500 random pictures",
        "ScikitLearn",
        packages=("scikit-learn", "pillow"),
    ),
)


def environment_of(candidate: Candidate | None, threads: int) -> dict[str, str]:
    """Return the variables of a process that computes with so many threads."""
    number = str(threads)
    environment = os.environ | {
        "OMP_NUM_THREADS": number,
        "OPENBLAS_NUM_THREADS": number,
        "MKL_NUM_THREADS": number,
        "TF_NUM_INTRAOP_THREADS": number,
        "TF_NUM_INTEROP_THREADS": number,
        "OPENCV_FOR_THREADS_NUM": number,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
    }
    # With it set, Python would compile an editable install anew at every start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment | (candidate.environment if candidate else {})
