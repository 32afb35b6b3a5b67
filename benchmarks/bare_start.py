"""The least that reading a photo can cost: load both networks, run each once on zeros.

    python benchmarks/bare_start.py MODEL 1,3,384,384 1,2,3,224,224

It is what `cold_start.py` compares with, and imports nothing of dogmood.
"""

import sys
import zipfile

import numpy as np
import onnxruntime

with zipfile.ZipFile(sys.argv[1]) as archive:
    for name, shape in zip(("finder.onnx", "classifier.onnx"), sys.argv[2:], strict=True):
        session = onnxruntime.InferenceSession(archive.read(name), providers=["CPUExecutionProvider"])
        zeros = np.zeros([int(length) for length in shape.split(",")], np.float32)
        session.run(None, {session.get_inputs()[0].name: zeros})
