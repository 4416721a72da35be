"""Export of open_clip models to ONNX: a folder with which CLIP runs without torch.

The batch dimension stays free, arithmetic is float32; weights may be stored as float16 (half the size, cast
back when the session loads). Every export is checked against the torch model on random pictures and texts
before it is kept. Limits: models whose text length or picture size varies are exported at the configured one.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .clip_models import OnnxClip, OnnxExport
from .clip_source import ClipModelError, ClipSource, load_open_clip

LEAST_COSINE = 0.999
"""An export is refused when any checked vector agrees less with the torch model."""

OPSET = 18
_ONE_FILE_BYTES = 1_500_000_000  # protobuf files end at 2 GB; weights of larger models go to a file beside it
_CHECK_TEXTS = (
    "a red circle at the left",
    "a photo of a dog",
    "two people cross a street in the rain",
    "Don't stop: 3 cups of tea, please!",
    "an aerial view of a harbour at night with many small boats and a lighthouse in the distance",
    "x",
)


def export_clip(
    model: str,
    pretrained: str | None = None,
    out_dir: Path | str = "clip-onnx",
    *,
    stored_as: Literal["float32", "float16"] = "float32",
    note: str | None = None,
    seed: int = 0,
) -> OnnxExport:
    """Export an open_clip model (name and tag, checkpoint file, or local folder) to a folder; return its
    `export.json`.

    `stored_as` is the type of the stored weights, `note` says what the model is for (default: the note in
    the model's own configuration). The folder is replaced only when the check passed: on pictures of noise
    and `_CHECK_TEXTS` every vector has a cosine of at least `LEAST_COSINE` with the torch model's.
    Raises ClipModelError for unknown models, missing weights, towers that cannot be exported and failed
    checks.
    """
    source = load_open_clip(model, pretrained)
    out = Path(out_dir)
    if out.exists() and any(out.iterdir()) and not (out / "export.json").is_file():
        raise ClipModelError(f"{out}: not empty and not an earlier export; give an empty or new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".clip-export-") as scratch:
        folder = Path(scratch) / "export"
        folder.mkdir()
        export = _write(source, folder, stored_as, source.note if note is None else note)
        image_cosine, text_cosine = _agreement(source, export, folder, seed)
        export = export.model_copy(update={"image_cosine": image_cosine, "text_cosine": text_cosine})
        if min(image_cosine, text_cosine) < LEAST_COSINE:
            raise ClipModelError(
                f"{source.name}: the ONNX model disagrees with torch (smallest cosine {image_cosine:.5f} "
                f"for pictures, {text_cosine:.5f} for texts; {LEAST_COSINE} is needed); nothing was written. "
                "Try stored_as float32"
            )
        _write_json(export, folder)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return export


def _write(source: ClipSource, folder: Path, stored_as: Literal["float32", "float16"], note: str) -> OnnxExport:
    """Write both towers, the vocabulary and `export.json` (its cosines still 0)."""
    import torch

    planes = torch.zeros(2, 3, source.preprocess.height_px, source.preprocess.width_px)
    tokens = source.tokenizer(["a picture", "a text"])
    for name, tower, example in (
        ("visual", _tower(source.model, "encode_image"), planes),
        ("text", _tower(source.model, "encode_text"), tokens),
    ):
        _export_tower(source.name, tower, example, folder / f"{name}.onnx", stored_as)
    (folder / source.tokenizer_spec.file).write_bytes(source.vocabulary)
    export = OnnxExport(
        format="chronotope-clip-onnx/1",
        model_name=source.name,
        note=note,
        source_digest=source.digest,
        dimension=source.dimension,
        logit_scale=source.logit_scale,
        preprocess=source.preprocess,
        tokenizer=source.tokenizer_spec,
        opset=OPSET,
        stored_as=stored_as,
        image_cosine=0.0,
        text_cosine=0.0,
        made_with={name: version(name) for name in ("torch", "open_clip_torch", "onnx")},
    )
    _write_json(export, folder)
    return export


def _write_json(export: OnnxExport, folder: Path) -> None:
    (folder / "export.json").write_text(export.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _tower(model: Any, method: str) -> Any:
    """A module whose forward is one tower of the model, normalised vectors out."""
    import torch

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            vectors: torch.Tensor = getattr(self.model, method)(values, normalize=True)
            return vectors

    return Tower().eval()


def _export_tower(name: str, tower: Any, example: Any, path: Path, stored_as: str) -> None:
    import onnx
    import torch

    entry = "pictures" if example.is_floating_point() else "tokens"
    try:
        with torch.no_grad():
            program = torch.onnx.export(
                tower,
                (example,),
                input_names=[entry],
                output_names=["vectors"],
                opset_version=OPSET,
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        assert program is not None, "torch.onnx.export with dynamo returns a program"
        large = sum(p.numel() * p.element_size() for p in tower.parameters()) > _ONE_FILE_BYTES
        program.save(str(path), external_data=large)
    except Exception as error:
        cause = (str(error).strip() or "no message").splitlines()[0]
        raise ClipModelError(
            f"{name}: the tower for {entry} cannot be exported to ONNX: {type(error).__name__}: {cause[:300]}"
        ) from error
    proto = onnx.load(str(path))
    _strip_traces(proto)
    if stored_as == "float16":
        _store_halves(proto)
    weights = path.with_name(f"{path.name}.data")
    weights.unlink(missing_ok=True)
    onnx.save(proto, str(path), save_as_external_data=large, location=weights.name if large else None)


def _strip_traces(proto: Any) -> None:
    """Remove the exporter's notes: stack traces with paths of this machine, and nothing that a session reads."""
    for part in (
        proto,
        proto.graph,
        *proto.graph.node,
        *proto.graph.initializer,
        *proto.graph.value_info,
        *proto.functions,
    ):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for function in proto.functions:
        for node in function.node:
            node.ClearField("metadata_props")
            node.ClearField("doc_string")


def _store_halves(proto: Any) -> None:
    """Store float32 weights as float16 with a cast to float32 in front of their readers, in place."""
    from onnx import TensorProto, helper, numpy_helper

    graph = proto.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 64:
            continue
        halves = numpy_helper.to_array(tensor).astype(np.float16)
        full_name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(halves, f"{full_name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [full_name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _agreement(source: ClipSource, export: OnnxExport, folder: Path, seed: int) -> tuple[float, float]:
    """Smallest cosine between torch and ONNX vectors for (pictures, texts)."""
    import torch

    rng = np.random.default_rng(seed)
    pictures: list[NDArray[np.uint8]] = [
        np.kron(rng.integers(0, 256, (cells, 2 * cells, 3), dtype=np.uint8), np.ones((24, 20, 1), np.uint8))
        for cells in (1, 2, 3, 5, 8, 13)
    ]
    planes = torch.from_numpy(np.stack([export.preprocess(picture) for picture in pictures]))
    texts = list(_CHECK_TEXTS)
    with torch.no_grad():
        image_vectors = source.model.encode_image(planes, normalize=True).numpy()
        text_vectors = source.model.encode_text(source.tokenizer(texts), normalize=True).numpy()
    encoder = OnnxClip(folder)
    return (
        float((encoder.encode_images(pictures) * image_vectors).sum(1).min()),
        float((encoder.encode_texts(texts) * text_vectors).sum(1).min()),
    )
