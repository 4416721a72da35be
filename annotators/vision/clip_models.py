"""CLIP encoders: pictures and texts to unit vectors in one space, through open_clip or through ONNX Runtime.

Both run at one fixed batch shape (the last batch padded) and a fixed thread count, so a picture's vector
does not depend on its neighbours or on the number of workers. The ONNX encoder needs neither torch nor
open_clip: it reads a folder that `export_clip` wrote. Limits: vectors agree between backends within
rounding, not bit for bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from .clip_preprocess import ClipPreprocess
from .clip_tokens import ClipTokenizer, TokenizerSpec

Vectors = NDArray[np.float32]
Device = Literal["cpu", "cuda"]
_Item = TypeVar("_Item")

COMPOSED_CLIP = Path(__file__).parent / "composed_clip"
"""The tiny CLIP in this package; MADE FOR COMPOSED SCENES ONLY, meaningless on real footage."""
COMPOSED_CLIP_ONNX = COMPOSED_CLIP / "onnx"


@runtime_checkable
class ClipEncoder(Protocol):
    """What annotators need of a CLIP model."""

    @property
    def model_name(self) -> str:
        """Name for rows and reports, for example `ViT-B-32/laion2b_s34b_b79k`."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the model's input in pixels."""

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256 of weights, preparation and vocabulary; part of a fingerprint."""

    def encode_images(self, pictures: list[NDArray[np.uint8]]) -> Vectors:
        """uint8 RGB pictures `[h, w, 3]` of any sizes to unit vectors, float32 `[n, dimension]`."""

    def encode_texts(self, texts: list[str]) -> Vectors:
        """Texts to unit vectors, float32 `[n, dimension]`."""


class OnnxExport(BaseModel):
    """The file `export.json` of an export folder."""

    model_config = ConfigDict(frozen=True)

    format: Literal["chronotope-clip-onnx/1"] = Field(description="name and version of this format")
    model_name: str = Field(description="architecture and weights that were exported")
    note: str = Field(default="", description="what the weights are for")
    source_digest: str = Field(description="digest of the open_clip model that was exported")
    dimension: int = Field(gt=0, description="length of a vector")
    logit_scale: float = Field(description="factor on cosines before a softmax over prompts")
    preprocess: ClipPreprocess = Field(description="picture preparation")
    tokenizer: TokenizerSpec = Field(description="text preparation")
    opset: int = Field(description="ONNX operator set")
    stored_as: Literal["float32", "float16"] = Field(description="how weights are stored; arithmetic is float32")
    image_cosine: float = Field(description="smallest cosine between both backends on the check's pictures")
    text_cosine: float = Field(description="smallest cosine between both backends on the check's texts")
    made_with: dict[str, str] = Field(description="library versions of the export")


class OnnxClip:
    """A CLIP model exported by `export_clip`, on ONNX Runtime; imports neither torch nor open_clip.

    `batch_size` is the fixed batch shape of both towers, `threads` the fixed number of threads of each
    operator.
    """

    def __init__(self, folder: Path | str, *, device: Device = "cpu", batch_size: int = 8, threads: int = 1) -> None:
        """Raises FileNotFoundError or ValueError when the folder is not a complete export, RuntimeError
        when `device` is `cuda` and this ONNX Runtime cannot use one."""
        import onnxruntime

        self._folder = Path(folder)
        self.export = read_export(self._folder)
        self._batch_size = batch_size
        self._tokenizer = ClipTokenizer(self.export.tokenizer, self._folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}[device]
        if provider not in onnxruntime.get_available_providers():
            raise RuntimeError(
                f"{self.export.model_name}: this onnxruntime has no {provider}; "
                "install onnxruntime-gpu or set device: cpu"
            )
        self._visual, self._text = (
            onnxruntime.InferenceSession(str(self._folder / name), options, providers=[provider])
            for name in ("visual.onnx", "text.onnx")
        )

    @property
    def model_name(self) -> str:
        return self.export.model_name

    @property
    def dimension(self) -> int:
        return self.export.dimension

    @property
    def image_size(self) -> tuple[int, int]:
        return self.export.preprocess.height_px, self.export.preprocess.width_px

    @cached_property
    def digest(self) -> str:
        return export_digest(self._folder)

    def encode_images(self, pictures: list[NDArray[np.uint8]]) -> Vectors:
        return _in_batches(pictures, self._run_images, self._batch_size, self.dimension)

    def encode_texts(self, texts: list[str]) -> Vectors:
        return _in_batches(texts, self._run_texts, self._batch_size, self.dimension)

    def _run_images(self, pictures: list[NDArray[np.uint8]]) -> Vectors:
        batch = np.stack([self.export.preprocess(picture) for picture in pictures])
        return np.asarray(self._visual.run(["vectors"], {"pictures": batch})[0], np.float32)

    def _run_texts(self, texts: list[str]) -> Vectors:
        return np.asarray(self._text.run(["vectors"], {"tokens": self._tokenizer(texts)})[0], np.float32)


class OpenClip:
    """Any open_clip model on torch: a registered name with a pretrained tag or checkpoint, or a local folder.

    A local folder holds `open_clip_config.json`, a checkpoint and, if its vocabulary is not CLIP's own, a
    `bpe_simple_vocab_*.txt.gz`. `precision` other than float32 is for GPUs: on a CPU half precision is
    slower.
    """

    def __init__(
        self,
        model: str,
        pretrained: str | None = None,
        *,
        device: Device = "cpu",
        precision: Literal["fp32", "fp16", "bf16"] = "fp32",
        batch_size: int = 8,
        threads: int = 1,
    ) -> None:
        """Raises ClipModelError for an unknown model or tag and for missing weights, naming the remedy."""
        import torch

        from .clip_source import load_open_clip

        if device == "cpu" and precision != "fp32":
            raise ValueError(f"{model}: precision {precision} is for device cuda; on a CPU use fp32")
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError(f"{model}: torch sees no CUDA device here; set device: cpu")
        torch.set_num_threads(threads)
        self.source = load_open_clip(model, pretrained, device=device, precision=precision)
        self._device, self._batch_size = device, batch_size
        self._dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]

    @property
    def model_name(self) -> str:
        return self.source.name

    @property
    def dimension(self) -> int:
        return self.source.dimension

    @property
    def image_size(self) -> tuple[int, int]:
        return self.source.preprocess.height_px, self.source.preprocess.width_px

    @property
    def digest(self) -> str:
        return self.source.digest

    def encode_images(self, pictures: list[NDArray[np.uint8]]) -> Vectors:
        return _in_batches(pictures, self._run_images, self._batch_size, self.dimension)

    def encode_texts(self, texts: list[str]) -> Vectors:
        return _in_batches(texts, self._run_texts, self._batch_size, self.dimension)

    def _run_images(self, pictures: list[NDArray[np.uint8]]) -> Vectors:
        import torch

        batch = torch.from_numpy(np.stack([self.source.preprocess(picture) for picture in pictures]))
        with torch.no_grad():
            vectors = self.source.model.encode_image(batch.to(self._device, self._dtype))
        return np.asarray(vectors.float().cpu().numpy())

    def _run_texts(self, texts: list[str]) -> Vectors:
        import torch

        with torch.no_grad():
            vectors = self.source.model.encode_text(self.source.tokenizer(texts).to(self._device))
        return np.asarray(vectors.float().cpu().numpy())


def read_export(folder: Path) -> OnnxExport:
    """The checked `export.json` of a folder.

    Raises FileNotFoundError naming the missing file, ValueError when the file is of another format.
    """
    for name in ("export.json", "visual.onnx", "text.onnx"):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder}: no {name}, so this is not an exported CLIP model; make one with "
                "`chronotope export-clip` on a machine that has torch and the weights"
            )
    fields: dict[str, Any] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    if fields.get("format") != "chronotope-clip-onnx/1":
        raise ValueError(
            f"{folder / 'export.json'}: format {fields.get('format')!r} is not chronotope-clip-onnx/1; "
            "export the model again"
        )
    return OnnxExport.model_validate(fields)


def export_digest(folder: Path | str) -> str:
    """Hexadecimal SHA-256 over all files of an export folder that decide its vectors; loads no model."""
    folder = Path(folder)
    export = read_export(folder)
    total = hashlib.sha256()
    identity = export.model_dump(include={"preprocess", "tokenizer"}, mode="json")
    total.update(json.dumps(identity, sort_keys=True).encode())
    for path in sorted(folder.iterdir()):
        if path.name in ("visual.onnx", "text.onnx", export.tokenizer.file) or path.suffix == ".data":
            total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _in_batches(items: list[_Item], run: Callable[[list[_Item]], Vectors], batch_size: int, dimension: int) -> Vectors:
    """Run full batches, the last one padded with its first item, and scale every vector to length 1."""
    vectors = np.zeros((len(items), dimension), np.float32)
    for start in range(0, len(items), batch_size):
        batch = items[start : start + batch_size]
        padded = batch + [batch[0]] * (batch_size - len(batch))
        vectors[start : start + len(batch)] = run(padded)[: len(batch)]
    lengths = np.sqrt(np.sum(vectors * vectors, axis=1, keepdims=True))
    return np.asarray(vectors / np.maximum(lengths, np.float32(1e-12)), np.float32)
