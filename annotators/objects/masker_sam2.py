"""SAM 2 through `transformers`: masks of boxes in one picture, or a mask carried through a shot from the box where it is clearest.

Weights come from the hub or a folder. Of several masks that the model offers for a box the one that it rates highest is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ...engine.models import ModelRef, resolve
from ...schemas.box import Box
from ...schemas.masks import Mask
from .stills import Pixels

HUB = "facebook/sam2.1-hiera-tiny"
"""Apache-2.0."""


def find(model: str | None, path: str | None) -> ModelRef:
    """The weights: a folder, else the hub's. Raises `ModelNotFound`."""
    from .detector_transformers import from_hub

    name = model or HUB
    return resolve(name, explicit=path, hub=lambda: from_hub(name), remedy=(
        "give `path:` a folder with config, weights and processor, let the machine reach the model hub once, or use backend grabcut"
    ))  # fmt: skip


class Sam2:
    """A loaded model. Raises `RuntimeError` when `device` is cuda and torch sees none."""

    def __init__(self, model: ModelRef, device: Literal["cpu", "cuda"], threads: int, video: bool) -> None:
        import torch
        from transformers import Sam2Model, Sam2Processor, Sam2VideoModel, Sam2VideoProcessor

        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError(f"{model.name}: torch sees no CUDA device here; set device: cpu")
        if device == "cpu":
            torch.set_num_threads(threads)
        self._device = device
        made: Any = Sam2VideoModel if video else Sam2Model
        reader: Any = Sam2VideoProcessor if video else Sam2Processor
        self._processor = reader.from_pretrained(model.path, local_files_only=True)
        self._model = made.from_pretrained(model.path, local_files_only=True).to(device).eval()

    def masks(self, picture: Pixels, boxes: Sequence[Box]) -> list[tuple[Mask, float]]:
        """Mask and rated IoU of each box of a picture."""
        import torch

        height, width = picture.shape[:2]
        edges = [[list(b.to_pixels(width, height)) for b in boxes]]
        given = self._processor(images=picture, input_boxes=edges, return_tensors="pt").to(self._device)
        with torch.no_grad():
            out = self._model(**given)
        masks = self._processor.post_process_masks(out.pred_masks.cpu(), given["original_sizes"].cpu())[0].numpy()
        rated = out.iou_scores.float().cpu().numpy()[0]
        best = rated.argmax(axis=1)
        return [(masks[k, b].astype(bool), _share(rated[k, b])) for k, b in enumerate(best.tolist())]

    def carried(self, pictures: Sequence[Pixels], at: int, box: Box) -> list[Mask]:
        """Masks through the pictures of a shot, from the box in picture `at` forwards and backwards."""
        import torch

        height, width = pictures[0].shape[:2]
        session = self._processor.init_video_session(
            video=list(pictures), inference_device=self._device, dtype=torch.float32
        )
        self._processor.add_inputs_to_inference_session(
            inference_session=session, frame_idx=at, obj_ids=1, input_boxes=[[list(box.to_pixels(width, height))]]
        )
        found: dict[int, Mask] = {}
        with torch.no_grad():
            self._model(inference_session=session, frame_idx=at)
            for backwards in (False, True):
                for out in self._model.propagate_in_video_iterator(session, start_frame_idx=at, reverse=backwards):
                    (masks,) = self._processor.post_process_masks(
                        [out.pred_masks.cpu()], [[height, width]], binarize=True
                    )
                    found[int(out.frame_idx)] = masks.numpy().reshape(-1, height, width)[0].astype(bool)
        return [found.get(k, np.zeros((height, width), bool)) for k in range(len(pictures))]


def _share(value: Any) -> float:
    return round(float(np.clip(value, 0.0, 1.0)), 6)
