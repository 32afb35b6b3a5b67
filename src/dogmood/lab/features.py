"""A frozen network's answers, computed once and kept on disk.

A frozen network gives the same answers for the same pixels, so what stands on top
of it is trained on a cache.  Its folder is named by everything the answers depend
on: the network's weights, the pictures, and how they were cut.  Work is kept in
small files, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dogmood.atomic import atomic_write
from dogmood.lab.progress import track
from dogmood.photo import Pixels

CHUNK = 64
BATCH = 8

Features = tuple[NDArray[np.float16], ...]


def weights_digest(model: nn.Module) -> str:
    """Return the SHA-256 of a model's weights, names and all."""
    sha = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        sha.update(name.encode())
        sha.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def to_batch(pictures: Sequence[Pixels]) -> Tensor:
    """Stack equal-sized RGB pictures to ``(n, 3, h, w)`` in [0, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


class FeatureCache:
    """The answers of a frozen network to a list of pictures.

    Args:
        folder: where caches live.
        model: takes ``(n, 3, h, w)`` in [0, 1], returns a tuple of tensors.
        keys: one string a picture that says what it is and how it was cut.
        picture: returns the pixels of the i-th picture.
    """

    def __init__(
        self,
        folder: Path,
        model: Callable[[Tensor], tuple[Tensor, ...]],
        weights: str,
        keys: Sequence[str],
        picture: Callable[[int], Pixels],
    ) -> None:
        name = hashlib.sha256("\0".join([weights, *keys]).encode()).hexdigest()[:16]
        self.folder = folder / name
        self._model, self._picture, self._count = model, picture, len(keys)

    def __len__(self) -> int:
        return self._count

    def fill(self, label: str) -> None:
        """Compute what is missing, with a progress bar."""
        self.folder.mkdir(parents=True, exist_ok=True)
        starts = [s for s in range(0, self._count, CHUNK) if not self._file(s).exists()]
        for start in track(starts, label):
            pictures = [self._picture(i) for i in range(start, min(start + CHUNK, self._count))]
            answers = self._answers(pictures)
            with atomic_write(self._file(start)) as file:
                named = {f"{i}.{k}": a for i, row in enumerate(answers) for k, a in enumerate(row)}
                np.savez(file, allow_pickle=False, **named)

    def __iter__(self) -> Iterator[Features]:
        """Yield the features of each picture in order, as float16."""
        for start in range(0, self._count, CHUNK):
            with np.load(self._file(start)) as chunk:
                rows: dict[int, list[NDArray[np.float16]]] = {}
                for key in chunk.files:
                    rows.setdefault(int(key.split(".")[0]), []).append(chunk[key])
            yield from (tuple(rows[i]) for i in range(len(rows)))

    @torch.inference_mode()
    def _answers(self, pictures: Sequence[Pixels]) -> list[Features]:
        shapes: dict[tuple[int, ...], list[int]] = {}
        for i, picture in enumerate(pictures):
            shapes.setdefault(picture.shape, []).append(i)
        found: dict[int, Features] = {}
        for members in shapes.values():
            for at in range(0, len(members), BATCH):
                some = members[at : at + BATCH]
                out = [t.numpy().astype(np.float16) for t in self._model(to_batch([pictures[i] for i in some]))]
                found.update((i, tuple(a[row] for a in out)) for row, i in enumerate(some))
        return [found[i] for i in range(len(pictures))]

    def _file(self, start: int) -> Path:
        return self.folder / f"{start:06d}.npz"
