"""Photos that show the same scene: copies, crops, other sizes, mirror images.

Two photos are near when their embeddings nearly agree, or when their perceptual hashes do
and their embeddings do not deny it; each is compared with the other and with its mirror
image.

The limits were chosen on 6,262 photos whose groups are known.  Among so many, 20 million
pairs, hashes agree by chance: of 270 pairs whose hashes differ in at most 12 bits 49 show
the same scene, and they are those whose embeddings agree too (docs/RESULTS.md, "Photos
that are near").  Many photos of one scene do not look alike: only dog and video ids tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from imagehash import phash
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dogmood.errors import PhotoError
from dogmood.lab.progress import track
from dogmood.photo import open_photo

MOST_BITS = 8
"""Of the 64 bits of two perceptual hashes, this many may differ where only they are known."""

LEAST_COSINE = 0.88
"""From this cosine of their embeddings on, two photos are near, whatever their hashes say."""

BOTH = 12, 0.75
"""With at most so many bits that differ, and at least this cosine, two photos are near as well."""

SIDE = 224
_BATCH = 16
_CHUNK = 1024

Pairs = list[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Looks:
    """What photos are compared by; a photo that cannot be read looks like nothing.

    Attributes:
        readable: ``(n,)`` whether the photo could be read.
        hashes: ``(n, 2)`` uint64: perceptual hash of the photo and of its mirror image.
        embeddings: ``(n, 2, 1280)`` float32 of length 1, the same; None without.
    """

    readable: NDArray[np.bool_]
    hashes: NDArray[np.uint64]
    embeddings: NDArray[np.float32] | None


def look_at(paths: Sequence[Path], embed: bool = True) -> Looks:
    """Compute what photos are compared by.

    Args:
        paths: the photos.
        embed: also by the mean of EfficientNet-Lite0's last maps, which finds crops
            and other lighting, and takes longer.
    """
    readable = np.zeros(len(paths), bool)
    hashes = np.zeros((len(paths), 2), np.uint64)
    net = _Embedding() if embed else None
    embeddings = np.zeros((len(paths), 2, 1280), np.float32) if embed else None
    for start in track(range(0, len(paths), _BATCH), "Looking at photos"):
        squares = []
        for i in range(start, min(start + _BATCH, len(paths))):
            try:
                image = Image.fromarray(open_photo(paths[i]).pixels)
            except PhotoError:
                continue
            readable[i] = True
            mirror = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            hashes[i] = [_bits(phash(image).hash), _bits(phash(mirror).hash)]
            square = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
            squares.append((i, square))
        if net is not None and embeddings is not None and squares:
            embeddings[[i for i, _ in squares]] = net.of([square for _, square in squares])
    return Looks(readable, hashes, embeddings)


def near_pairs(looks: Looks) -> Pairs:
    """Return the pairs of near photos, the lower index first.

    Every photo is compared with every other, a block at a time: 50,000 photos take
    minutes, and memory for one block.
    """
    embeddings = looks.embeddings
    if embeddings is None:
        found = set(_near_hashes(looks, MOST_BITS))
    else:
        bits, cosine = BOTH
        found = {pair for pair in _near_hashes(looks, bits) if _cosine(embeddings, *pair) >= cosine}
        found.update(_near_embeddings(embeddings, LEAST_COSINE))
    readable = looks.readable
    return sorted((i, k) for i, k in found if i < k and readable[i] and readable[k])


def joined(count: int, pairs: Pairs) -> NDArray[np.intp]:
    """Return for each of ``count`` things which connected part it belongs to."""
    rows, columns = np.array(pairs, np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, np.intp)


class _Embedding:
    def __init__(self) -> None:
        from dogmood.lab.nets.lite import LiteBackbone

        self._net = LiteBackbone().eval()

    def of(self, squares: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return ``(n, 2, 1280)`` of RGB squares and their mirror images."""
        import torch

        pixels = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            both = torch.stack([self._net(view).top.mean(dim=(2, 3)) for view in (pixels, pixels.flip(-1))], dim=1)
            unit: NDArray[np.float32] = torch.nn.functional.normalize(both, dim=-1).numpy()
        return unit


def _bits(bits: NDArray[np.bool_]) -> np.uint64:
    return np.uint64(int.from_bytes(np.packbits(bits.flatten()).tobytes()))


def _near_hashes(looks: Looks, bits: int) -> Iterator[tuple[int, int]]:
    # A photo beside the others' mirror images says all that mirroring both would.
    plain, mirrored = looks.hashes[:, 0], looks.hashes[:, 1]
    for start in range(0, len(plain), _CHUNK):
        block = plain[start : start + _CHUNK, None]
        for others in (plain, mirrored):
            rows, columns = np.nonzero(np.bitwise_count(block ^ others) <= bits)
            yield from _ordered(rows + start, columns)


def _near_embeddings(embeddings: NDArray[np.float32], cosine: float) -> Iterator[tuple[int, int]]:
    plain, mirrored = embeddings[:, 0], embeddings[:, 1]
    for start in range(0, len(plain), _CHUNK):
        block = plain[start : start + _CHUNK]
        for others in (plain, mirrored):
            rows, columns = np.nonzero(block @ others.T >= cosine)
            yield from _ordered(rows + start, columns)


def _cosine(embeddings: NDArray[np.float32], i: int, k: int) -> float:
    """Return how alike two photos are, one of them mirrored where that is more."""
    return float((embeddings[i] @ embeddings[k].T).max())


def _ordered(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    return zip(np.minimum(rows, columns).tolist(), np.maximum(rows, columns).tolist(), strict=True)
