"""Geometry models behind one door: pictures in, `Prediction` out. VGGT, Depth Anything 3, MoGe, a web service, or a file of yours.

The three models come from their authors' packages and weights, which no package index carries: they must be installed where they
run. What is missing is one error with the remedy, before any work starts. A file of yours holds a function (or a class) that
takes RGB pictures and returns arrays as `prediction_of` reads them. Limits: none of the three ran on the machine that this was
written on; their calls follow the authors' documentation, and the conventions are tested on rendered rooms.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ...engine.annotator import Params, TransientError
from ...engine.extras import installed
from ...engine.models import ModelNotFound, ModelRef, resolve
from ...engine.registry import UnknownName, load_file
from ..patient_http import BUSY, patient_session
from .prediction import Prediction, metres_of_da3, prediction_of

Pixels = NDArray[np.uint8]
Intrinsics = Sequence[float]
_PACKAGES = {
    "vggt": ("vggt", "facebook/VGGT-1B", "git+https://github.com/facebookresearch/vggt"),
    "depth_anything_3": (
        "depth_anything_3", "depth-anything/DA3NESTED-GIANT-LARGE-1.1", "git+https://github.com/ByteDance-Seed/Depth-Anything-3",
    ),
    "moge": ("moge", "Ruicheng/moge-2-vitl-normal", "git+https://github.com/microsoft/MoGe"),
}  # fmt: skip
_VGGT_SIDE, _PATCH = 518, 14


class GeometryParams(Params):
    """Parameters that name a geometry model and say how to run it."""

    backend: str = Field(
        "vggt",
        description="vggt, depth_anything_3, moge (single pictures), http, or my_file.py:thing beside the recipe",
    )
    model: str | None = Field(None, description="name of the weights on the hub; null: the authors' best")
    path: str | None = Field(None, description="local weights: a file or a folder")
    device: Literal["cpu", "cuda"] = Field("cuda", description="where to compute")
    dtype: Literal["bf16", "fp16", "fp32"] = Field("bf16", description="precision on cuda; a CPU always takes fp32")
    metric: bool | None = Field(
        None,
        description="whether its depth is in metres; null: as the model is known for (DA3 nested or metric, MoGe 2)",
    )
    url: str | None = Field(None, pattern=r"^https?://", description="of backend http: where pictures are posted to")
    service_version: str = Field("1", description="of backend http: change it when the service answers differently")
    auth_env: str | None = Field(None, description="of backend http: variable that holds the authorisation header")
    timeout_s: float = Field(600.0, gt=0, description="of backend http: longest wait for an answer")
    retries: int = Field(4, ge=0, description="of backend http: how often a busy service is asked again")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.backend not in (*_PACKAGES, "http") and ".py:" not in self.backend:
            raise ValueError(f"backend {self.backend!r}: use {', '.join(_PACKAGES)}, http or my_file.py:thing")
        if (self.backend == "http") != (self.url is not None):
            raise ValueError("url belongs to backend http, and backend http needs a url")
        return self


class GeometryModel(Protocol):
    """A loaded model."""

    def __call__(
        self, pictures: Sequence[Pixels], times_s: Sequence[float], intrinsics: Sequence[Intrinsics | None]
    ) -> Prediction:
        """Geometry of pictures uint8 [h, w, 3] RGB of one size; `intrinsics` (fx, fy, cx, cy in their pixels) where known."""


def find_model(params: GeometryParams) -> tuple[ModelRef, ...]:
    """The weights; nothing is loaded. Raises `ModelNotFound` naming what is missing and what to do."""
    if params.backend not in _PACKAGES:
        return ()
    module, hub_name, source = _PACKAGES[params.backend]
    instead = "or use backend http with a service that has it, or backend my_file.py:thing"
    if not (installed(module) and installed("torch")):
        raise ModelNotFound(
            f"backend {params.backend} needs its authors' package: pip install torch {source!r}, {instead}"
        )
    name = params.model or hub_name
    remedy = f"give `path:` local weights of {name}, or let the machine reach the model hub once, {instead}"
    return (resolve(name, explicit=params.path, hub=lambda: _from_hub(name), remedy=remedy),)


def code_of(params: GeometryParams, folder: str) -> str:
    """What else the rows depend on: the code of a file of yours, or the version of a service."""
    if params.backend == "http":
        return f"{params.url} {params.service_version}"
    if ".py:" not in params.backend:
        return ""
    path = Path(folder) / params.backend.partition(":")[0]
    if not path.is_file():
        raise UnknownName(f"backend {params.backend}: no file {path}")
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def load_model(params: GeometryParams, folder: str) -> GeometryModel:
    """The loaded model. Raises `ModelNotFound`, `UnknownName`, or RuntimeError where the device is not there."""
    if params.backend == "http":
        return _Service(params)
    if ".py:" in params.backend:
        return _Own(params, folder)
    weights = find_model(params)[0]
    import torch

    if params.device == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"backend {params.backend}: torch sees no CUDA device here; set device: cpu")
    kinds: dict[str, Callable[[GeometryParams, ModelRef], GeometryModel]] = {
        "vggt": _Vggt, "depth_anything_3": _DepthAnything, "moge": _Moge,
    }  # fmt: skip
    return kinds[params.backend](params, weights)


def _from_hub(name: str) -> str:
    from huggingface_hub import snapshot_download

    return str(snapshot_download(name))


def _dtype(params: GeometryParams) -> Any:
    import torch

    wanted = params.dtype if params.device == "cuda" else "fp32"
    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[wanted]


class _Vggt:
    """VGGT: poses from the world to the camera, intrinsics at the processed size, depth without a unit."""

    def __init__(self, params: GeometryParams, weights: ModelRef) -> None:
        import torch
        from vggt.models.vggt import VGGT

        self._params = params
        if Path(weights.path).is_file():
            model = VGGT()
            model.load_state_dict(torch.load(weights.path, map_location="cpu", weights_only=True))
        else:
            model = VGGT.from_pretrained(weights.path)
        self._model = model.to(params.device).eval()

    def __call__(
        self, pictures: Sequence[Pixels], times_s: Sequence[float], intrinsics: Sequence[Intrinsics | None]
    ) -> Prediction:
        import cv2
        import torch
        from vggt.utils.pose_enc import pose_encoding_to_extri_intri

        size = processed_size(pictures[0].shape[1], pictures[0].shape[0])
        small = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures])
        batch = torch.from_numpy(small).permute(0, 3, 1, 2).float().div(255).to(self._params.device)[None]
        dtype = _dtype(self._params)
        with torch.inference_mode(), torch.autocast(self._params.device, dtype, enabled=dtype != torch.float32):
            out = self._model(batch)
        extrinsics, k = pose_encoding_to_extri_intri(out["pose_enc"].float(), (size[1], size[0]))
        raw = {"depth": out["depth"], "confidence": out["depth_conf"], "extrinsics": extrinsics, "intrinsics": k}
        arrays = {key: value.float().cpu().numpy() for key, value in raw.items()}
        return prediction_of({**arrays, "metric": bool(self._params.metric)}, len(pictures), "vggt")


class _DepthAnything:
    """Depth Anything 3: poses from the world to the camera, intrinsics at the processed size; metres of the nested model as
    they are, of the metric model times the focal length over 300.
    """

    def __init__(self, params: GeometryParams, weights: ModelRef) -> None:
        from depth_anything_3.api import DepthAnything3

        self._params, self._name = params, weights.name.lower()
        self._model = DepthAnything3.from_pretrained(weights.path).to(params.device).eval()

    def __call__(
        self, pictures: Sequence[Pixels], times_s: Sequence[float], intrinsics: Sequence[Intrinsics | None]
    ) -> Prediction:
        out = self._model.inference(list(pictures))
        depth = np.asarray(out.depth, np.float64)
        raw: dict[str, Any] = {"depth": depth, "metric": "nested" in self._name}
        for key, name in (("confidence", "conf"), ("extrinsics", "extrinsics"), ("intrinsics", "intrinsics")):
            value = getattr(out, name, None)
            if value is not None:
                raw[key] = np.asarray(value)
        if "metric" in self._name:
            focal = [_focal(known, picture, depth.shape) for known, picture in zip(intrinsics, pictures, strict=True)]
            raw["depth"], raw["metric"] = metres_of_da3(depth, np.array(focal)), True
        if self._params.metric is not None:
            raw["metric"] = self._params.metric
        return prediction_of(raw, len(pictures), "depth_anything_3")


class _Moge:
    """MoGe, picture by picture: no poses; intrinsics are shares of the picture; the second version is in metres."""

    def __init__(self, params: GeometryParams, weights: ModelRef) -> None:
        self._params, self._second = params, "moge-2" in weights.name.lower() or "v2" in weights.name.lower()
        if self._second:
            from moge.model.v2 import MoGeModel
        else:
            from moge.model.v1 import MoGeModel
        path = Path(weights.path)
        self._model = (
            MoGeModel.from_pretrained(str(path / "model.pt" if path.is_dir() else path)).to(params.device).eval()
        )

    def __call__(
        self, pictures: Sequence[Pixels], times_s: Sequence[float], intrinsics: Sequence[Intrinsics | None]
    ) -> Prediction:
        import torch

        depths, ks = [], []
        for picture, known in zip(pictures, intrinsics, strict=True):
            tensor = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float().div(255)
            wide = None if known is None else float(np.degrees(2 * np.arctan(picture.shape[1] / (2 * known[0]))))
            half = self._params.device == "cuda" and self._params.dtype != "fp32"
            out = self._model.infer(tensor.to(self._params.device), fov_x=wide, use_fp16=half)
            depths.append(out["depth"].float().cpu().numpy())
            ks.append(out["intrinsics"].float().cpu().numpy())
        metric = self._second if self._params.metric is None else self._params.metric
        raw = {"depth": np.stack(depths), "intrinsics": np.stack(ks), "normalised_intrinsics": True, "metric": metric}
        return prediction_of(raw, len(pictures), "moge")


class _Own:
    """A function of the user's file, `thing(pictures, times_s)`, or a class whose objects are called so."""

    def __init__(self, params: GeometryParams, folder: str) -> None:
        file, _, name = params.backend.partition(":")
        path = (Path(folder) / file).resolve()
        if not path.is_file():
            raise UnknownName(f"backend {params.backend}: no file {path}")
        thing = getattr(load_file(path), name, None)
        if not callable(thing):
            raise UnknownName(f"backend {params.backend}: {path.name} defines no {name!r} that can be called")
        self._who, self._metric = params.backend, params.metric
        self._call: Callable[..., Mapping[str, Any]] = thing() if isinstance(thing, type) else thing

    def __call__(
        self, pictures: Sequence[Pixels], times_s: Sequence[float], intrinsics: Sequence[Intrinsics | None]
    ) -> Prediction:
        raw = dict(self._call(list(pictures), list(times_s)))
        if self._metric is not None:
            raw["metric"] = self._metric
        return prediction_of(raw, len(pictures), self._who)


class _Service:
    """A web service: one POST `{"pictures": [{t_s, width, height, png_base64}]}`, answered with the arrays as a .npz file."""

    def __init__(self, params: GeometryParams) -> None:
        self._params = params
        self._session = patient_session(params.retries, 60.0)
        if params.auth_env is not None:
            secret = os.environ.get(params.auth_env)
            if not secret:
                raise ValueError(f"set the environment variable {params.auth_env} (authorisation for {params.url})")
            self._session.headers["Authorization"] = secret

    def __call__(
        self, pictures: Sequence[Pixels], times_s: Sequence[float], intrinsics: Sequence[Intrinsics | None]
    ) -> Prediction:
        import cv2
        import requests

        url, sent = str(self._params.url), []
        for picture, t_s in zip(pictures, times_s, strict=True):
            png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
            shape = {"width": picture.shape[1], "height": picture.shape[0]}
            sent.append({"t_s": t_s, **shape, "png_base64": base64.b64encode(png).decode("ascii")})
        try:
            answer = self._session.post(
                url, json={"pictures": sent}, timeout=self._params.timeout_s, allow_redirects=False
            )
        except requests.RequestException as error:
            raise TransientError(f"{url} cannot be reached: {type(error).__name__}; is the service running?") from None
        if answer.status_code in BUSY:
            raise TransientError(
                f"{url} answered {answer.status_code} {answer.reason} {self._params.retries + 1} times"
            )
        if answer.status_code != 200:
            raise ValueError(f"{url} answered {answer.status_code} {answer.reason}: {answer.text[:200]}")
        try:
            with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
                raw = {key: arrays[key] for key in arrays.files}
        except (ValueError, OSError) as error:
            raise ValueError(f"{url} must answer with a .npz file of arrays: {error}") from None
        if self._params.metric is not None:
            raw["metric"] = np.array(self._params.metric)
        return prediction_of(raw, len(pictures), url)


def processed_size(width: int, height: int) -> tuple[int, int]:
    """Width and height that VGGT sees: the longer side 518 px, both multiples of 14."""
    scale = _VGGT_SIDE / max(width, height)
    wide, high = (max(_PATCH, round(side * scale / _PATCH) * _PATCH) for side in (width, height))
    return wide, high


def _focal(known: Intrinsics | None, picture: Pixels, shape: tuple[int, ...]) -> float:
    """Mean focal length in pixels of maps of `shape` [n, h, w]. Raises ValueError where the camera is not known."""
    if known is None:
        raise ValueError(
            "the metric model of Depth Anything 3 needs the focal length: let cameras be found first, or use the nested model"
        )
    return float((known[0] * shape[2] / picture.shape[1] + known[1] * shape[1] / picture.shape[0]) / 2)
