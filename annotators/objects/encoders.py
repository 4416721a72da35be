"""Frozen encoders of single pictures: a CLIP model, any image model in ONNX, or a grid of colours and gradients that needs no weights.

Each gives a fixed number of vectors per picture and says which revision it is: the digest of weights and preparation. The grid is
the classical descriptor (mean colour and a histogram of gradient directions per cell, N. Dalal and B. Triggs, 2005); it is
an expert for layout, not for meaning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ...engine.models import ModelRef, resolve
from ..vision.clip_choice import ClipParams, extra_of, find_clip, load_clip
from ..vision.clip_models import ClipEncoder
from .stills import Pixels

Tokens = NDArray[np.float32]
"""[pictures, tokens, dimension]."""
_BATCH = 8
_BINS = 9


class EncoderParams(ClipParams):
    """Parameters that name an encoder and say how to run it; those of CLIP count for encoder clip only."""

    encoder: Literal["clip", "grid", "onnx"] = Field(
        "clip",
        description="clip; grid (no weights: colours and gradients of cells); onnx (`path` is a model of yours).",
    )
    cells: int = Field(8, ge=1, le=32, description="Of grid: cells on each side, one vector each.")
    side_px: int = Field(224, ge=16, description="Of onnx: side of the square that the model sees.")
    mean: tuple[float, float, float] = Field((0.485, 0.456, 0.406), description="Of onnx: taken from RGB in 0..1.")
    std: tuple[float, float, float] = Field((0.229, 0.224, 0.225), description="Of onnx: by which it is divided.")

    @model_validator(mode="after")
    def _named(self) -> EncoderParams:
        if self.encoder == "onnx" and self.path is None:
            raise ValueError(
                "encoder onnx: `path` names a model, float32 [batch, 3, side, side] to [batch, (tokens,) dimension]"
            )
        return self


class Encoder(Protocol):
    """A loaded encoder."""

    name: str
    revision: str

    def encode(self, pictures: Sequence[Pixels]) -> Tokens:
        """Vectors of uint8 RGB pictures of any sizes; a picture's vectors do not depend on the others."""


def find_encoder(params: EncoderParams) -> tuple[ModelRef, ...]:
    """Weights, none for grid. Raises `ModelNotFound`."""
    if params.encoder == "grid":
        return ()
    if params.encoder == "onnx":
        assert params.path is not None
        return (resolve(Path(params.path).name, explicit=params.path, remedy="give `path:` an ONNX file"),)
    return (find_clip(params),)


def extras_of(params: EncoderParams) -> tuple[str, ...]:
    """What an encoder needs."""
    return {"grid": (), "onnx": ("onnx",), "clip": (extra_of(params) if params.encoder == "clip" else "onnx",)}[
        params.encoder
    ]


def load_encoder(params: EncoderParams) -> Encoder:
    """The encoder, loaded."""
    if params.encoder == "grid":
        return Grid(params.cells)
    (model,) = find_encoder(params)
    if params.encoder == "onnx":
        return OnnxEncoder(model, params)
    return Clip(load_clip(params, _BATCH))


class Clip:
    """One vector per picture."""

    def __init__(self, clip: ClipEncoder) -> None:
        self._clip, self.name, self.revision = clip, clip.model_name, clip.digest[:20]

    def encode(self, pictures: Sequence[Pixels]) -> Tokens:
        return self._clip.encode_images(list(pictures))[:, None, :]


class Grid:
    """A vector per cell: mean CIE Lab colour, its deviation, and how strong gradients of each direction are."""

    _side = 128

    def __init__(self, cells: int) -> None:
        self._cells, self.name = cells, f"grid{cells}"
        self.revision = hashlib.blake2b(f"grid 1 {cells} {self._side} {_BINS}".encode(), digest_size=10).hexdigest()

    def encode(self, pictures: Sequence[Pixels]) -> Tokens:
        return (
            np.stack([self._one(p) for p in pictures])
            if pictures
            else np.zeros((0, self._cells**2, 6 + _BINS), np.float32)
        )

    def _one(self, picture: Pixels) -> Tokens:
        import cv2

        side = self._side - self._side % self._cells
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / 100.0
        dx = np.gradient(lab[:, :, 0], axis=1)
        dy = np.gradient(lab[:, :, 0], axis=0)
        strength, turn = np.hypot(dx, dy), (np.arctan2(dy, dx) % np.pi) / np.pi * _BINS
        bins = np.minimum(turn.astype(int), _BINS - 1)
        cell = side // self._cells
        shape = (self._cells, cell, self._cells, cell)
        parts = [f(lab[:, :, c].reshape(shape), axis=(1, 3)) for f in (np.mean, np.std) for c in range(3)]
        directions = [np.where(bins == b, strength, 0.0).reshape(shape).mean(axis=(1, 3)) for b in range(_BINS)]
        total = np.sqrt(sum(d * d for d in directions)) + 1e-3
        return np.stack([*parts, *(d / total for d in directions)], axis=-1).reshape(-1, 6 + _BINS).astype(np.float32)


class OnnxEncoder:
    """A model of one's own. Raises `ValueError` for an output that is neither [batch, d] nor [batch, tokens, d]."""

    def __init__(self, model: ModelRef, params: EncoderParams) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = params.threads, 1
        cuda = ["CUDAExecutionProvider"] if params.device == "cuda" else []
        self._session = onnxruntime.InferenceSession(model.path, options, providers=[*cuda, "CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._params, self.name = params, model.name
        prepared = f"{model.digest} {params.side_px} {params.mean} {params.std}"
        self.revision = hashlib.blake2b(prepared.encode(), digest_size=10).hexdigest()

    def encode(self, pictures: Sequence[Pixels]) -> Tokens:
        import cv2

        side = self._params.side_px
        made = []
        for picture in pictures:  # one by one: a batch would change the last digits
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            planes = ((small - np.asarray(self._params.mean)) / np.asarray(self._params.std)).transpose(2, 0, 1)
            out = np.asarray(self._session.run(None, {self._input: planes[None].astype(np.float32)})[0], np.float32)
            if out.ndim not in (2, 3) or len(out) != 1:
                raise ValueError(
                    f"{self.name} gives {list(out.shape)}; wanted is [batch, dimension] or [batch, tokens, dimension]"
                )
            made.append(out.reshape(1, -1, out.shape[-1])[0])
        return np.stack(made)
