"""Loading of open_clip models with errors that say what to do, for the torch encoder and for the ONNX export.

A model is a registered name with a pretrained tag or a checkpoint file, a local folder, or
`hf-hub:owner/name`. Needs torch and open_clip (`pip install chronotope[clip]`); nothing here is imported by
the torch-free path.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from .clip_preprocess import ClipPreprocess
from .clip_tokens import Clean, TokenizerSpec

CONFIG_FILE = "open_clip_config.json"
_CHECKPOINTS = (".safetensors", ".bin", ".pt", ".pth", ".npz")


class ClipModelError(ValueError):
    """A CLIP model cannot be used as asked; the message names the model, the cause and the remedy."""


@dataclass(frozen=True)
class ClipSource:
    """A loaded open_clip model with what is needed to run or to export it.

    `vocabulary` is the file content and `tokenizer_spec` the description that a torch-free tokenizer needs.
    """

    name: str
    note: str
    model: Any
    tokenizer: Any
    preprocess: ClipPreprocess
    tokenizer_spec: TokenizerSpec
    vocabulary: bytes
    dimension: int
    logit_scale: float
    digest: str


def load_open_clip(
    model: str, pretrained: str | None = None, *, device: str = "cpu", precision: str = "fp32"
) -> ClipSource:
    """Load a model in evaluation mode.

    Raises ClipModelError for an unknown model or tag (with close ones), for missing files, for weights that
    cannot be downloaded and for a vocabulary that does not fit; ModuleNotFoundError when open_clip is not
    installed.
    """
    try:
        import open_clip
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{model}: open_clip is not installed: pip install 'chronotope[clip]', "
            "or use an exported model (backend: onnx), which needs no torch"
        ) from error
    folder = _local_folder(model)
    config: dict[str, Any] = {}
    if folder is not None:
        config = _folder_config(folder)
        identifier, weights, name = f"local-dir:{folder}", None, str(config.get("name", folder.name))
    else:
        _check_name(model, pretrained)
        identifier, weights = model, pretrained
        name = model if pretrained is None else f"{model}/{_weights_label(pretrained)}"
    try:
        net = open_clip.create_model(identifier, weights, device=device, precision=precision, require_pretrained=True)
    except Exception as error:
        raise ClipModelError(_load_failure(model, pretrained, folder, error)) from error
    net.eval()
    text_cfg = config.get("model_cfg", {}).get("text_cfg", {})
    bpe = text_cfg.get("tokenizer_kwargs", {}).get("bpe_path")
    bpe_path = str(folder / bpe) if folder is not None and bpe else None
    try:
        tokenizer = open_clip.get_tokenizer(identifier, **({"bpe_path": bpe_path} if bpe_path else {}))
    except Exception as error:
        raise ClipModelError(
            f"{name}: the tokenizer cannot be loaded ({_first_line(error)}); models with a Hugging Face "
            "tokenizer need the transformers package and the tokenizer's files in the local cache"
        ) from error
    vocabulary, spec = _describe_tokenizer(name, tokenizer, bpe_path)
    expected = getattr(net, "vocab_size", None)
    if spec.kind == "clip_bpe" and expected is not None and tokenizer.vocab_size > expected:
        raise ClipModelError(
            f"{name}: the vocabulary has {tokenizer.vocab_size} tokens and the model {expected}; put the "
            "model's bpe_simple_vocab_*.txt.gz into its folder and name it in "
            f"{CONFIG_FILE} as text_cfg.tokenizer_kwargs.bpe_path"
        )
    preprocess = ClipPreprocess.from_open_clip(net.visual.preprocess_cfg)
    return ClipSource(
        name=name,
        note=str(config.get("note", "")),
        model=net,
        tokenizer=tokenizer,
        preprocess=preprocess,
        tokenizer_spec=spec,
        vocabulary=vocabulary,
        dimension=_dimension(net, tokenizer, device),
        logit_scale=float(net.logit_scale.detach().float().exp().max()),
        digest=_digest(net, preprocess, spec, vocabulary),
    )


def _local_folder(model: str) -> Path | None:
    """The folder that `model` means, or None when it is a name."""
    if model.startswith("local-dir:"):
        return Path(model.removeprefix("local-dir:"))
    if model.startswith("hf-hub:"):
        return None
    return Path(model) if Path(model).is_dir() or model.startswith((".", "/", "~")) else None


def _folder_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ClipModelError(
            f"{folder}: no {CONFIG_FILE}; a local CLIP model is a folder with {CONFIG_FILE} and a checkpoint"
        )
    if not any(p.suffix in _CHECKPOINTS for p in folder.iterdir()):
        raise ClipModelError(f"{folder}: no checkpoint beside {CONFIG_FILE} ({', '.join(_CHECKPOINTS)})")
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return config


def _check_name(model: str, pretrained: str | None) -> None:
    """Raise ClipModelError unless model and weights are known or are files."""
    import open_clip

    if model.startswith("hf-hub:"):
        return
    known = open_clip.list_models()
    if model.replace("/", "-") not in known:
        close = difflib.get_close_matches(model, known, n=4, cutoff=0.4)
        raise ClipModelError(
            f"{model}: open_clip knows no such model; close names: {', '.join(close) or 'none'}. "
            "A local model is a folder, written ./folder or /path/to/folder"
        )
    tags = open_clip.list_pretrained_tags_by_model(model.replace("/", "-"))
    if pretrained is None:
        raise ClipModelError(
            f"{model}: no weights named; set pretrained to one of {', '.join(tags) or '(none published)'} "
            "or to the path of a checkpoint"
        )
    if pretrained in tags or Path(pretrained).is_file():
        return
    if Path(pretrained).suffix in _CHECKPOINTS or "/" in pretrained:
        raise ClipModelError(f"{model}: the checkpoint {pretrained} does not exist; give the path of a file")
    close = difflib.get_close_matches(pretrained, tags, n=4, cutoff=0.3)
    raise ClipModelError(
        f"{model}: no weights are published under the tag {pretrained!r}; close tags: "
        f"{', '.join(close) or 'none'}; all: {', '.join(tags)}"
    )


def _load_failure(model: str, pretrained: str | None, folder: Path | None, error: Exception) -> str:
    if folder is not None or (pretrained is not None and Path(pretrained).is_file()):
        return f"{model}: the weights in {folder or pretrained} do not fit the model: {_first_line(error)}"
    wanted = f"the weights {pretrained!r}" if pretrained else "the model"
    return (
        f"{model}: {wanted} can neither be found in the cache nor downloaded here ({_first_line(error)}). "
        "Set pretrained to the path of a local checkpoint, or run `chronotope export-clip` on a connected "
        "machine and use the exported folder (backend: onnx)"
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no message'}"[:300]


def _weights_label(pretrained: str) -> str:
    return Path(pretrained).stem if Path(pretrained).is_file() else pretrained


def _describe_tokenizer(name: str, tokenizer: Any, bpe_path: str | None) -> tuple[bytes, TokenizerSpec]:
    """(vocabulary file content, description) of an open_clip tokenizer.

    Raises ClipModelError for the few modes that have no torch-free equivalent.
    """
    from open_clip import tokenizer as library

    clean = next((c for c in get_args(Clean) if _cleans_as(tokenizer, c)), None)
    if isinstance(tokenizer, library.SimpleTokenizer) and tokenizer.reduction_fn is None and clean:
        path = Path(bpe_path or library.default_bpe())
        spec = TokenizerSpec(kind="clip_bpe", file=path.name, context_length=tokenizer.context_length, clean=clean)
        return path.read_bytes(), spec
    backend = getattr(getattr(tokenizer, "tokenizer", None), "backend_tokenizer", None)
    if backend is None or getattr(tokenizer, "tokenizer_mode", None):
        raise ClipModelError(
            f"{name}: its tokenizer ({type(tokenizer).__name__}) has no torch-free equivalent here; "
            "supported are CLIP's BPE and fast Hugging Face tokenizers"
        )
    inner = tokenizer.tokenizer
    spec = TokenizerSpec(
        kind="tokenizer_json",
        file="tokenizer.json",
        context_length=tokenizer.context_length,
        clean=clean or "canonicalize",  # open_clip's SigLipTokenizer, which has no clean_fn, canonicalizes
        pad_id=inner.pad_token_id,
        zeroed_id=inner.sep_token_id if getattr(tokenizer, "strip_sep_token", False) else None,
    )
    return backend.to_str().encode("utf-8"), spec


def _cleans_as(tokenizer: Any, clean: str) -> bool:
    from open_clip.tokenizer import get_clean_fn

    return getattr(tokenizer, "clean_fn", None) is get_clean_fn(clean)


def _dimension(net: Any, tokenizer: Any, device: str) -> int:
    import torch

    with torch.no_grad():
        return int(net.encode_text(tokenizer(["a"]).to(device)).shape[-1])


def _digest(net: Any, preprocess: ClipPreprocess, spec: TokenizerSpec, vocabulary: bytes) -> str:
    """SHA-256 over weights (name, type, shape, bytes), preparation and vocabulary."""
    import torch

    total = hashlib.sha256(preprocess.model_dump_json().encode() + spec.model_dump_json().encode())
    total.update(hashlib.sha256(vocabulary).digest())
    for name, tensor in sorted(net.state_dict().items()):
        total.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
