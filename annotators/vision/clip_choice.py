"""Which CLIP model a recipe means: shared parameters of the CLIP annotators, its weights, and the loaded
encoder.

`model: composed-tiny` is the model inside this package, made for composed scenes; a folder is an ONNX
export or an open_clip model; anything else is a name and tag of open_clip. Finding a model loads none, so
plans stay quick.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ...engine.annotator import Params
from ...engine.models import ModelRef, resolve
from .clip_models import COMPOSED_CLIP, COMPOSED_CLIP_ONNX, ClipEncoder, OnnxClip, OpenClip, read_export

COMPOSED_TINY = "composed-tiny"
"""Alias of the model in this package. It was trained on composed scenes and says nothing about real
footage.
"""
_REMEDY = (
    "give `path:` a local checkpoint, an open_clip folder or a folder that `chronotope export-clip` "
    "wrote, or let the "
    f"machine reach the model hub once; for composed scenes `model: {COMPOSED_TINY}` needs neither"
)
_log = logging.getLogger(__name__)


class ClipParams(Params):
    """Parameters that name a CLIP model and say how to run it."""

    model: str = Field(
        default="ViT-B-32",
        description=f"open_clip model name, hf-hub:owner/name, or {COMPOSED_TINY} (made for composed scenes, no torch)",
    )
    pretrained: str | None = Field(
        default="laion2b_s34b_b79k", description="open_clip tag of the weights; not used with `path`"
    )
    path: str | None = Field(
        default=None,
        description="local weights: an ONNX export folder, an open_clip folder, or a checkpoint of `model`",
    )
    backend: Literal["auto", "open_clip", "onnx"] = Field(
        default="auto", description="auto: onnx for ONNX exports (no torch), open_clip otherwise"
    )
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="where to compute")
    dtype: Literal["fp32", "fp16", "bf16"] = Field(
        default="fp32", description="precision; other than fp32 on cuda only"
    )
    threads: int = Field(default=1, ge=1, description="processor threads; fixed, so that rows are reproducible")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.backend == "onnx" and self.path is None and self.model != COMPOSED_TINY:
            raise ValueError(
                "backend onnx runs exported models: give `path:` the folder that `chronotope "
                "export-clip` wrote, or use "
                f"model: {COMPOSED_TINY}"
            )
        if self.device == "cpu" and self.dtype != "fp32":
            raise ValueError(f"dtype {self.dtype} is for device cuda; on a CPU it is slower than fp32")
        return self


def find_clip(params: ClipParams) -> ModelRef:
    """The weights that `params` mean. Raises `ModelNotFound` with the remedies; loads no model."""
    folder = _folder(params)
    if folder is not None and not folder.exists():
        return resolve(f"CLIP {params.model}", explicit=folder, remedy=_REMEDY)
    if folder is not None and _is_onnx(params, folder):
        ref = resolve(read_export(folder).model_name, explicit=folder, remedy=_REMEDY)
    elif folder is not None:
        ref = resolve(params.model if folder.is_file() else folder.name, explicit=folder, remedy=_REMEDY)
    else:
        ref = resolve(f"CLIP {_label(params)}", hub=lambda: _from_hub(params), remedy=_REMEDY)
    if folder in (COMPOSED_CLIP, COMPOSED_CLIP_ONNX):
        return ModelRef(ref.name, ref.path, "package chronotope (made for composed scenes)", ref.digest)
    return ref


def extra_of(params: ClipParams) -> str:
    """The extra of the backend that will run: `onnx` for exported models, else `clip`."""
    folder = _folder(params)
    exported = params.backend == "onnx" or (folder is not None and folder.exists() and _is_onnx(params, folder))
    return "onnx" if exported else "clip"


def load_clip(params: ClipParams, batch_size: int) -> ClipEncoder:
    """The encoder at a fixed batch shape. Raises `ModelNotFound`, or the backend's error with its remedy."""
    weights = Path(find_clip(params).path)
    folder = _folder(params)
    if folder in (COMPOSED_CLIP, COMPOSED_CLIP_ONNX):
        _log.warning("%s was made for composed scenes; on real footage its vectors mean nothing", COMPOSED_TINY)
    if folder is not None and _is_onnx(params, folder):
        return OnnxClip(folder, device=params.device, batch_size=batch_size, threads=params.threads)
    model, pretrained = (f"local-dir:{weights}", None) if weights.is_dir() else (params.model, str(weights))
    if folder is None:
        model, pretrained = params.model, params.pretrained
        if params.model.startswith("hf-hub:"):
            pretrained = None
    return OpenClip(
        model,
        pretrained,
        device=params.device,
        precision=params.dtype,
        batch_size=batch_size,
        threads=params.threads,
    )


def _folder(params: ClipParams) -> Path | None:
    if params.path is not None:
        return Path(params.path).expanduser()
    if params.model == COMPOSED_TINY:
        return COMPOSED_CLIP if params.backend == "open_clip" else COMPOSED_CLIP_ONNX
    return None


def _is_onnx(params: ClipParams, folder: Path) -> bool:
    return params.backend == "onnx" or (params.backend == "auto" and (folder / "export.json").is_file())


def _label(params: ClipParams) -> str:
    hub = params.model.startswith("hf-hub:") or params.pretrained is None
    return params.model if hub else f"{params.model}/{params.pretrained}"


def _from_hub(params: ClipParams) -> str:
    """Path of the weights in open_clip's cache, downloaded when they are not there."""
    from open_clip.pretrained import download_pretrained, download_pretrained_from_hf, get_pretrained_cfg

    if params.model.startswith("hf-hub:"):
        return str(download_pretrained_from_hf(params.model.removeprefix("hf-hub:")))
    published = get_pretrained_cfg(params.model, params.pretrained or "")
    if not published:
        raise ValueError(f"open_clip publishes no weights {params.pretrained!r} for a model {params.model!r}")
    return str(download_pretrained(published))
