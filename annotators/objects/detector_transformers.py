"""Grounding DINO and OWLv2 through `transformers`: open-vocabulary detectors with weights of the hub or of a folder.

Both give a score for each region and each query (Grounding DINO: the best of the query's tokens), so what is kept is decided in one
place for all detectors. Queries that do not fit into one prompt are asked in several. Padding is undone by each model's own
rule: OWLv2 scales to a square, Grounding DINO's boxes are shares of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ...engine.models import ModelRef, resolve
from .detecting import Floats, Regions
from .stills import Still

Kind = Literal["grounding_dino", "owlv2"]
HUB: dict[Kind, str] = {
    "grounding_dino": "IDEA-Research/grounding-dino-tiny",
    "owlv2": "google/owlv2-base-patch16-ensemble",
}
"""Default weights; both Apache-2.0."""
PROMPT_TOKENS = 200
"""Tokens of one Grounding DINO prompt, which reads 256."""


def find(kind: Kind, model: str | None, path: str | None) -> ModelRef:
    """The weights: a local folder (as `save_pretrained` writes it), else the hub's. Raises `ModelNotFound`."""
    name = model or HUB[kind]
    return resolve(name, explicit=path, hub=lambda: from_hub(name), remedy=(
        "give `path:` a folder with config, weights and processor, or let the machine reach the model hub once"
    ))  # fmt: skip


def from_hub(name: str) -> str:
    """Folder of a model of the hub, downloaded when it is not there."""
    from huggingface_hub import snapshot_download

    return str(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.txt"]))


class TransformersDetector:
    """A loaded detector. Raises `RuntimeError` when `device` is cuda and torch sees none."""

    def __init__(
        self,
        kind: Kind,
        model: ModelRef,
        *,
        device: Literal["cpu", "cuda"] = "cpu",
        dtype: Literal["fp32", "fp16", "bf16"] = "fp32",
        batch: int = 4,
        threads: int = 1,
    ) -> None:
        import torch
        from transformers import AutoProcessor, GroundingDinoForObjectDetection, Owlv2ForObjectDetection

        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError(f"{model.name}: torch sees no CUDA device here; set device: cpu")
        if device == "cpu":
            torch.set_num_threads(threads)
        self._kind, self._device, self._batch = kind, device, batch
        self._dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[dtype]
        made = GroundingDinoForObjectDetection if kind == "grounding_dino" else Owlv2ForObjectDetection
        self._processor: Any = AutoProcessor.from_pretrained(model.path, local_files_only=True)
        loaded: Any = made.from_pretrained(model.path, local_files_only=True, dtype=self._dtype)
        self._model = loaded.to(device).eval()
        self.model_name = f"{kind} {model.name}"

    def regions(self, stills: Sequence[Still], queries: Sequence[str]) -> list[Regions]:
        """All regions of each picture, in order; neighbours in a batch are of one size."""
        found: list[Regions | None] = [None] * len(stills)
        sizes = sorted({(s.height, s.width) for s in stills})
        for size in sizes:
            alike = [k for k, s in enumerate(stills) if (s.height, s.width) == size]
            for first in range(0, len(alike), self._batch):
                members = alike[first : first + self._batch]
                pictures = [stills[k].rgb() for k in members]
                for k, regions in zip(members, self._looked(pictures, list(queries)), strict=True):
                    found[k] = regions
        return [r for r in found if r is not None]

    def _looked(self, pictures: list[Any], queries: list[str]) -> list[Regions]:
        parts = [self._asked(pictures, part) for part in self._prompts(queries)]
        # each prompt has regions of its own: a region of one scores 0 for the queries of the others
        made = []
        for n in range(len(pictures)):
            boxes = np.concatenate([part[n][0] for part in parts])
            scores = np.zeros((len(boxes), len(queries)))
            row = column = 0
            for part in parts:
                _, own = part[n]
                scores[row : row + len(own), column : column + own.shape[1]] = own
                row, column = row + len(own), column + own.shape[1]
            made.append(Regions(boxes, np.round(scores, 6)))
        return made

    def _prompts(self, queries: list[str]) -> list[list[str]]:
        if self._kind == "owlv2":
            return [queries]
        parts: list[list[str]] = [[]]
        room = PROMPT_TOKENS
        for query in queries:
            need = len(self._processor.tokenizer(query)["input_ids"]) + 1
            if need > room and parts[-1]:
                parts.append([])
                room = PROMPT_TOKENS
            parts[-1].append(query)
            room -= need
        return parts

    def _asked(self, pictures: list[Any], queries: list[str]) -> list[tuple[Floats, Floats]]:
        import torch

        height, width = pictures[0].shape[:2]
        spans: list[tuple[int, int]] = []
        if self._kind == "owlv2":
            given = self._processor(text=[queries] * len(pictures), images=pictures, return_tensors="pt")
            scale = np.full(4, float(max(height, width)))
        else:
            prompt, spans = prompt_of(queries)
            given = self._processor(text=[prompt] * len(pictures), images=pictures, return_tensors="pt")
            scale = np.asarray([width, height] * 2, np.float64)
        given = {k: v.to(self._device, self._dtype if v.is_floating_point() else None) for k, v in given.items()}
        with torch.no_grad():
            out = self._model(**given)
        scores = torch.sigmoid(out.logits.float()).cpu().numpy().astype(np.float64)
        middle = out.pred_boxes.float().cpu().numpy().astype(np.float64)
        boxes = np.concatenate([middle[..., :2] - middle[..., 2:] / 2, middle[..., :2] + middle[..., 2:] / 2], axis=-1)
        if spans:
            tokens = self._tokens_of(prompt, spans)
            scores = np.stack([scores[:, :, own].max(axis=2) for own in tokens], axis=2)
        return [(boxes[n] * scale, scores[n][:, : len(queries)]) for n in range(len(pictures))]

    def _tokens_of(self, prompt: str, spans: Sequence[tuple[int, int]]) -> list[list[int]]:
        """Positions of the tokens of each query in the prompt."""
        offsets = self._processor.tokenizer(prompt, return_offsets_mapping=True)["offset_mapping"]
        found = [[k for k, (a, b) in enumerate(offsets) if a < past and b > first] for first, past in spans]
        for query, own in zip(spans, found, strict=True):
            if not own:
                raise ValueError(f"{self.model_name}: the query {prompt[slice(*query)]!r} has no token")
        return found


def prompt_of(queries: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Grounding DINO's prompt, `a cat. a dog.`, in lower case, and where each query stands in it."""
    prompt, spans = "", []
    for query in queries:
        said = query.lower().strip().rstrip(".")
        prompt += " " if prompt else ""
        spans.append((len(prompt), len(prompt) + len(said)))
        prompt += said + "."
    return prompt, spans
