"""What is measured: each class loads one candidate and reads photos with it.

It runs in the candidate's own process and environment, so nothing is imported before it
is needed, and nothing of the other files here.  Photos are laid out by `peers.py`: `dogs`
and `people` hold pictures of the same sizes under the same names, `tensors-MODEL` what
the photo of that name gives the networks, `networks-MODEL` the graphs.

A candidate that needs weights makes random ones beforehand (`prepare`): how long a
network takes does not depend on them, and nothing is said here of how well it reads.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

SIDE = 224
"""Pixels: what classifiers of this kind take."""

EMOTIONS = 5
BATCH = 32
"""Keras's own default."""


class Reader:
    """A loaded candidate.

    Attributes:
        parts: seconds that were spent on parts of the work since it was emptied.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder, self.threads = folder, threads
        self.parts: dict[str, float] = {}

    @classmethod
    def prepare(cls, folder: Path, **arguments: Any) -> None:
        """Make what loading needs, once."""

    def ready(self, names: list[str]) -> list[Any]:
        """Return what `one` and `many` take; not timed."""
        return [str(self.folder / "dogs" / f"{name}.jpg") for name in names]

    def one(self, item: Any) -> int:
        """Read one photo; return how many dogs, faces or pictures were read."""
        raise NotImplementedError

    def many(self, items: list[Any]) -> int:
        """Read photos as quickly as it can; likewise."""
        return sum(self.one(item) for item in items)


class Dogmood(Reader):
    """dogmood itself: from the file to the reading; many photos side by side, as `dogmood read` does."""

    def __init__(self, folder: Path, threads: int, model: str) -> None:
        super().__init__(folder, threads)
        from dogmood import DogMood

        self._alone = DogMood(model, threads=threads)
        self._side_by_side: Any = None
        self._load = lambda: DogMood(model, threads=threads, side_by_side=threads)

    def ready(self, names: list[str]) -> list[Any]:
        if len(names) > 1 and self._side_by_side is None:  # a cold start reads one photo
            self._side_by_side = self._load()
        return super().ready(names)

    def one(self, item: Any) -> int:
        return len(self._alone.read(item).dogs)

    def many(self, items: list[Any]) -> int:
        return sum(len(reading.dogs) for reading in self._side_by_side.read_many(items))


class Limit(Reader):
    """A plain loop over ready tensors: for each photo the finder once, the classifier once a dog."""

    def __init__(self, folder: Path, threads: int, model: str) -> None:
        super().__init__(folder, threads)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle threads of one network would hold up the other.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._tensors = folder / f"tensors-{model}"
        self._sessions = {
            name: onnxruntime.InferenceSession(
                str(folder / f"networks-{model}" / f"{name}.onnx"), options, providers=["CPUExecutionProvider"]
            )
            for name in ("finder", "classifier")
        }
        self._inputs = {name: session.get_inputs()[0].name for name, session in self._sessions.items()}

    def ready(self, names: list[str]) -> list[Any]:
        import numpy as np

        return [dict(np.load(self._tensors / f"{name}.npz")) for name in names]

    def one(self, item: Any) -> int:
        for key, batch in item.items():
            name = key.partition("-")[0]
            start = time.perf_counter()
            self._sessions[name].run(None, {self._inputs[name]: batch})
            self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - start
        return len(item) - 1


class Deepface(Reader):
    """deepface's emotion analysis of people's faces: its own `DeepFace.analyze`, unchanged."""

    def __init__(self, folder: Path, threads: int, detector: str) -> None:
        super().__init__(folder, threads)
        os.environ["DEEPFACE_HOME"] = str(folder)
        from deepface import DeepFace

        self._analyze, self._detector = DeepFace.analyze, detector

    @classmethod
    def prepare(cls, folder: Path, **arguments: Any) -> None:
        """Let deepface build its network, and write the files it would fetch, with random weights."""
        weights = folder / ".deepface/weights/facial_expression_model_weights.h5"
        if weights.is_file():
            return
        os.environ.update(DEEPFACE_HOME=str(folder), DEEPFACE_BACKEND_ENGINE="tensorflow")
        import tensorflow as tf
        import tf2onnx
        from deepface.commons import folder_utils, weight_utils
        from deepface.modules import modeling

        folder_utils.initialize_folder()
        weight_utils.download_weights_if_necessary = lambda file_name, source_url, compress_type=None: str(weights)
        weight_utils.load_model_weights = lambda model, weight_file: model
        network = modeling.build_model(task="facial_attribute", model_name="Emotion").model
        network.output_names = ["emotions"]  # which tf2onnx asks for
        signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)]
        tf2onnx.convert.from_keras(network, signature, output_path=str(weights.with_suffix(".onnx")))
        network.save(weights)

    def ready(self, names: list[str]) -> list[Any]:
        return [str(self.folder / "people" / f"{name}.jpg") for name in names]

    def one(self, item: Any) -> int:
        # Without a face it takes the whole photo for one, with a confidence of 0.
        faces = self._analyze(
            item, actions=["emotion"], detector_backend=self._detector, enforce_detection=False, silent=True
        )
        return sum(self._detector == "skip" or face["face_confidence"] > 0 for face in faces)


class Keras(Reader):
    """A classifier of whole photos on a network that `keras.applications` has, as public repositories ship it."""

    def __init__(self, folder: Path, threads: int, network: str) -> None:
        super().__init__(folder, threads)
        import keras

        self._model = keras.models.load_model(folder / f"{network}.keras")

    @classmethod
    def prepare(cls, folder: Path, **arguments: Any) -> None:
        import keras

        network = arguments["network"]
        body = getattr(keras.applications, network)(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
        layers = keras.layers
        head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(EMOTIONS, activation="softmax")]
        keras.Sequential([body, *head]).save(folder / f"{network}.keras")

    def one(self, item: Any) -> int:
        return self.many([item])

    def many(self, items: list[Any]) -> int:
        import numpy as np
        from keras.utils import img_to_array, load_img

        for at in range(0, len(items), BATCH):
            pictures = [img_to_array(load_img(item, target_size=(SIDE, SIDE))) for item in items[at : at + BATCH]]
            self._model.predict(np.stack(pictures) / 255.0, verbose=0)
        return len(items)


class ScikitLearn(Reader):
    """A support vector machine on the pixels of small pictures, fitted on random ones."""

    SIDE = 64
    EXAMPLES = 500
    _FILE = "svm.joblib"

    def __init__(self, folder: Path, threads: int) -> None:
        super().__init__(folder, threads)
        import joblib

        # What such repositories ship; this one was written by `prepare`.
        self._model = joblib.load(folder / self._FILE)

    @classmethod
    def prepare(cls, folder: Path, **arguments: Any) -> None:
        import joblib
        import numpy as np
        from sklearn.svm import SVC

        random = np.random.default_rng(0)
        pixels = random.random((cls.EXAMPLES, cls.SIDE**2 * 3), np.float32)
        joblib.dump(SVC().fit(pixels, np.arange(cls.EXAMPLES) % EMOTIONS), folder / cls._FILE)

    def one(self, item: Any) -> int:
        return self.many([item])

    def many(self, items: list[Any]) -> int:
        import numpy as np
        from PIL import Image

        rows = []
        for item in items:
            with Image.open(item) as photo:
                small = photo.convert("RGB").resize((self.SIDE, self.SIDE))
            rows.append(np.asarray(small, np.float32).reshape(-1) / 255)
        self._model.predict(np.stack(rows))
        return len(items)


class Multiplication(Reader):
    """numpy's product of two square float32 matrices: what the machine can do."""

    LENGTH = 2048
    TIMES = 5

    def __init__(self, folder: Path, threads: int) -> None:
        super().__init__(folder, threads)
        import numpy as np

        random = np.random.default_rng(0)
        self._left, self._right, self._out = (random.random((self.LENGTH, self.LENGTH), np.float32) for _ in range(3))

    def rate(self) -> float:
        """Return the floating-point operations a second of a few products, the median."""
        import numpy as np

        seconds = []
        for _ in range(self.TIMES):
            start = time.perf_counter()
            np.matmul(self._left, self._right, out=self._out)
            seconds.append(time.perf_counter() - start)
        return 2 * self.LENGTH**3 / sorted(seconds)[len(seconds) // 2]


READERS: dict[str, type[Reader]] = {
    one.__name__: one for one in (Dogmood, Limit, Deepface, Keras, ScikitLearn, Multiplication)
}
